"""Debian's kernels: fetched by apt into a cache of the tool's own, unpacked, no root needed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
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
        package = _download(release, cache, suites)
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        dpkg = need("dpkg-deb", "to unpack the kernel's package")
        run([dpkg, "-x", str(package), str(part)], f"unpacking {package.name}")
        part.rename(folder)
    image = folder / "boot" / f"vmlinuz-{release}"
    modules = [p for p in folder.glob(f"**/lib/modules/{release}") if p.is_dir()]
    if not image.is_file() or not modules:
        raise CaptureToolError(f"the package of {release} holds no kernel; remove {folder}")
    return Kernel(release, image, modules[0])


def _download(release: str, cache: Path, suites: Sequence[str]) -> Path:
    """Fetch the package through an apt of the tool's own, of the kernel's architecture."""
    apt = need("apt-get", "to fetch the kernel's package")
    arch = "i386" if release.endswith("-686-pae") else "amd64"
    state = cache / "apt" / f"{arch}-{'-'.join(suites)}"
    options = _private_apt(state, arch, _sources(apt, suites))
    run([apt, *options, "-q", "update"], f"reading the package lists of {', '.join(suites)}")
    package = f"linux-image-{release}"
    archives = cache / "packages"
    archives.mkdir(parents=True, exist_ok=True)
    doing = f"fetching {package} from {', '.join(suites)} (--suite names another)"
    run([apt, *options, "-q", "download", package], doing, folder=archives)
    found = sorted(archives.glob(f"{package}_*.deb"))
    if not found:
        raise CaptureToolError(f"{doing} failed: apt left no package")
    return found[-1]


def _sources(apt: str, suites: Sequence[str]) -> str:
    """Write a list of sources: this machine's own mirrors, with the suites asked for."""
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
    lines = [
        f"deb {uri} {suite} main"
        for suite in suites
        if (uri := mirrors.get(suite.endswith("-security")))
    ]
    if not lines:
        raise CaptureToolError(
            "apt knows no mirror of Debian on this machine, so no kernel can be fetched"
        )
    return "\n".join(lines) + "\n"


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
