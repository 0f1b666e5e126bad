"""Debian's kernels: fetched by apt into a cache of the tool's own, unpacked, no root needed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.capture.errors import CaptureToolError
from tools.capture.programs import need, run

RELEASES = {
    "deb13": ("trixie", "trixie-updates", "trixie-security"),
    "deb14": ("forky", "sid"),
    "": ("bookworm", "bookworm-updates", "bookworm-security"),
}
"""Suites that hold a kernel, by the mark in its release; the oldest kernels have none."""

_NAME = re.compile(r"\d+\.\d+[\w.+]*-[\w.+-]*(amd64|686-pae)", re.ASCII)


@dataclass(frozen=True)
class Kernel:
    """A kernel on this machine: its image, and the folder of its drivers."""

    release: str
    image: Path
    modules: Path

    @property
    def is_32_bit(self) -> bool:
        """Whether it is a 32-bit kernel, with PAE."""
        return self.release.endswith("-686-pae")


def suites_of(release: str) -> tuple[str, ...]:
    """Return the suites in which Debian keeps a kernel of that release.

    Raises
    ------
    CaptureToolError
        When it is no release of a kernel for x86.
    """
    if not _NAME.fullmatch(release):
        raise CaptureToolError(
            f"{release!r} is no kernel release; one looks like 6.1.0-56-cloud-amd64"
        )
    mark = re.search(r"\+(deb\d+)", release)
    return RELEASES.get(mark[1] if mark else "", RELEASES[""])


def find_kernel(release: str, cache: Path, suites: Sequence[str] = ()) -> Kernel:
    """Return a kernel of the cache; fetch and unpack its package where it is not there.

    Raises
    ------
    CaptureToolError
        When the package cannot be had, or holds no kernel.
    """
    suites = suites or suites_of(release)
    folder = cache / "kernels" / release
    if not folder.is_dir():
        packages = _download(release, cache, suites)
        part = folder.with_name(f"{release}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        dpkg = need("dpkg-deb", "to unpack the kernel's package")
        for package in packages:
            run([dpkg, "-x", str(package), str(part)], f"unpacking {package.name}")
        part.rename(folder)
    modules = [p for p in folder.glob(f"**/lib/modules/{release}") if p.is_dir()]
    images = [*folder.glob(f"**/vmlinuz-{release}"), *(m / "vmlinuz" for m in modules)]
    images = [p for p in images if p.is_file()]
    if not images or not modules:
        raise CaptureToolError(f"the package of {release} holds no kernel; remove {folder}")
    return Kernel(release, images[0], modules[0])


def _download(release: str, cache: Path, suites: Sequence[str]) -> list[Path]:
    """Fetch the package, and those that it is split into, from the first suite that has it."""
    apt = need("apt-get", "to fetch the kernel's package")
    mirrors = _mirrors(apt)
    complaints = []
    for suite in suites:
        try:
            return _download_from(apt, release, cache, suite, mirrors)
        except CaptureToolError as error:
            complaints.append(f"{suite}: {error}")
    raise CaptureToolError(
        f"no package linux-image-{release} to be had ({'; '.join(complaints)}); "
        "--suite names another suite, --kernel another kernel"
    )


def _download_from(
    apt: str, release: str, cache: Path, suite: str, mirrors: Mapping[bool, str]
) -> list[Path]:
    """Fetch the packages through an apt of the tool's own, of the kernel's architecture."""
    mirror = mirrors.get(suite.endswith("-security"))
    if mirror is None:
        raise CaptureToolError("apt knows no mirror of it")
    arch = "i386" if release.endswith("-686-pae") else "amd64"
    state = cache / "apt" / f"{arch}-{suite}"
    options = _private_apt(state, arch, f"deb {mirror} {suite} main\n")
    run([apt, *options, "-q", "update"], "reading its package lists")
    archives = cache / "packages"
    archives.mkdir(parents=True, exist_ok=True)

    def fetch(package: str) -> Path:
        run([apt, *options, "-q", "download", package], "fetching", folder=archives)
        found = sorted(archives.glob(f"{package}_*.deb"))
        if not found:
            raise CaptureToolError(f"apt left no package {package}")
        return found[-1]

    first = fetch(f"linux-image-{release}")
    dpkg = need("dpkg-deb", "to unpack the kernel's package")
    depends = run([dpkg, "-f", str(first), "Depends"], f"reading {first.name}")
    return [first, *(fetch(name) for name in split_packages(depends, release))]


def split_packages(depends: str, release: str) -> list[str]:
    """Return which packages of the same kernel a package depends on.

    Since 7.x linux-image-RELEASE is empty, and linux-binary-RELEASE and linux-modules-RELEASE
    hold image and drivers.
    """
    names = (part.split()[0] for part in depends.split(",") if part.split())
    return [name for name in names if name.startswith("linux-") and name.endswith(f"-{release}")]


def _mirrors(apt: str) -> dict[bool, str]:
    """Return this machine's own mirrors of Debian: of its security suites, and of the others."""
    form = "$(REPO_URI)|$(RELEASE)|$(ORIGIN)"
    listed = run(
        [apt, "indextargets", "--format", form, "Created-By: Packages"],
        "asking apt for its mirrors",
    )
    mirrors: dict[bool, str] = {}
    for line in listed.splitlines():
        uri, suite, origin = (line.split("|") + [""] * 3)[:3]
        if origin == "Debian":
            mirrors.setdefault(suite.endswith("-security"), uri)
    if not mirrors:
        raise CaptureToolError(
            "apt knows no mirror of Debian on this machine, so no kernel can be fetched"
        )
    return mirrors


def _private_apt(state: Path, arch: str, sources: str) -> list[str]:
    """Return options that keep apt away from this machine's own lists and packages."""
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    listed = state / "sources.list"
    listed.write_text(sources)
    settings = {
        "Dir::Etc::sourcelist": listed,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": state,
        "Dir::State::status": "/dev/null",
        "Dir::Cache": state / "cache",
        "APT::Architecture": arch,
        "APT::Architectures": arch,
        "APT::Sandbox::User": "root",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
