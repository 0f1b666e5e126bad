"""Kernels are found, fetched once, and missed in one clear line. Nothing here asks a network."""

from __future__ import annotations

import os
import stat

import pytest

from tools.capture.errors import CaptureToolError
from tools.capture.kernels import find_kernel, split_packages, suites_of
from tools.capture.programs import need, run

RELEASE = "6.1.0-99-cloud-amd64"

APT = """#!/bin/sh
echo "$*" >> "$LOG"
case "$*" in
*indextargets*) printf '%s\\n' 'http://other.example/|x|Other' \
    'http://mirror.example/debian/|stable|Debian' \
    'http://mirror.example/security/|stable-security|Debian' \
    'http://second.example/debian/|stable|Debian' ;;
*bookworm-security*update*) echo 'E: out of order' >&2; exit 100 ;;
*bookworm/*download*) echo 'E: Unable to locate package' >&2; exit 100 ;;
*download*) echo made > "linux-image-RELEASE_1_amd64.deb" ;;
esac
"""
DPKG = """#!/bin/sh
echo "dpkg-deb $*" >> "$LOG"
case "$1" in
-f) echo 'linux-base (>= 4), kmod' ;;
-x) mkdir -p "$3/boot" "$3/usr/lib/modules/RELEASE"; echo image > "$3/boot/vmlinuz-RELEASE" ;;
esac
"""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put stand-ins for apt-get and dpkg-deb first in the path; they log what they are asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in (("apt-get", APT), ("dpkg-deb", DPKG)):
        path = folder / name
        path.write_text(text.replace("RELEASE", RELEASE))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def test_a_kernel_is_fetched_from_the_first_suite_that_has_it_and_only_once(programs, tmp_path):
    cache = tmp_path / "cache"
    kernel = find_kernel(RELEASE, cache, ["bookworm", "bookworm-updates"])
    assert kernel.image.read_text() == "image\n"
    assert kernel.modules.name == RELEASE
    lines = programs.read_text().splitlines()
    assert sum("download" in line for line in lines) == 2
    sources = (cache / "apt" / "amd64-bookworm-updates" / "sources.list").read_text()
    assert sources == "deb http://mirror.example/debian/ bookworm-updates main\n"
    assert find_kernel(RELEASE, cache) == kernel
    assert programs.read_text().splitlines() == lines


def test_the_machines_own_lists_are_left_alone(programs, tmp_path):
    find_kernel(RELEASE, tmp_path / "cache", ["bookworm-updates"])
    for line in programs.read_text().splitlines():
        if "update" in line.split() or "download" in line.split():
            assert f"Dir::State={tmp_path / 'cache'}" in line
            assert "Dir::Etc::sourceparts=/dev/null" in line


def test_no_suite_has_it(programs, tmp_path):
    with pytest.raises(CaptureToolError) as caught:
        find_kernel(RELEASE, tmp_path / "cache", ["bookworm", "bookworm-security"])
    text = str(caught.value)
    assert "\n" not in text
    assert f"no package linux-image-{RELEASE} to be had" in text
    assert "bookworm: fetching failed: E: Unable to locate package" in text
    assert "bookworm-security: reading its package lists failed: E: out of order" in text
    assert not (tmp_path / "cache" / "kernels" / RELEASE).exists()


def test_an_empty_package_is_named(tmp_path):
    (tmp_path / "kernels" / RELEASE).mkdir(parents=True)
    with pytest.raises(CaptureToolError, match="holds no kernel"):
        find_kernel(RELEASE, tmp_path)


@pytest.mark.parametrize(
    ("release", "suite"),
    [
        ("6.1.0-56-cloud-amd64", "bookworm"),
        ("6.1.0-50-686-pae", "bookworm"),
        ("6.12.107+deb13-cloud-amd64", "trixie"),
        ("7.2.13+deb14-cloud-amd64", "forky"),
    ],
)
def test_the_release_tells_the_suite(release, suite):
    assert suites_of(release)[0] == suite


@pytest.mark.parametrize("release", ["", "6.1", "latest", "6.1.0-1-arm64", "-x-amd64", "../amd64"])
def test_what_is_no_release_is_refused(release):
    with pytest.raises(CaptureToolError, match="is no kernel release"):
        suites_of(release)


def test_a_kernel_in_several_packages():
    depends = (
        "dracut | initramfs-tools (>= 0.1), linux-base-7.2.1-cloud-amd64 (= 7.2-1), kmod,"
        " linux-binary-7.2.1-cloud-amd64 (= 7.2-1), linux-base (>= 4.17)"
    )
    assert split_packages(depends, "7.2.1-cloud-amd64") == [
        "linux-base-7.2.1-cloud-amd64",
        "linux-binary-7.2.1-cloud-amd64",
    ]


def test_a_missing_program_is_named_with_its_package(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureToolError) as caught:
        need("qemu-system-x86_64", "to boot the machine")
    assert str(caught.value) == (
        "qemu-system-x86_64 is not installed, and is needed to boot the machine "
        "(Debian's package qemu-system-x86)"
    )


def test_a_failing_program_is_quoted_by_its_last_line():
    with pytest.raises(CaptureToolError, match=r"^trying it failed: E: second$"):
        run(["sh", "-c", "echo first >&2; echo E: second >&2; exit 3"], "trying it")
