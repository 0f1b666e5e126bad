"""See to it that there is a browser for the tests: find one, else install Debian's Chromium.

Without the rights to install, one line names the package and the exit status is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "chromium"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("C:/Program Files/Google/Chrome/Application/chrome.exe"),
)


def find_chromium() -> str | None:
    """Return the program of a Chromium or Chrome: $CHROMIUM, or one of the usual names."""
    names = (os.environ["CHROMIUM"],) if os.environ.get("CHROMIUM") else NAMES
    found = next(filter(None, map(shutil.which, names)), None)
    return found or next((str(p) for p in APPLICATIONS if p.exists()), None)


def installer() -> list[str] | None:
    """Return the command prefix that may run apt-get here, or None without apt or the rights."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    passwordless = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return None if passwordless.returncode else ["sudo", "-n"]


def main() -> int:
    """Return 0 once there is a browser; else print the one line and return 1."""
    if find_chromium():
        return 0
    prefix = installer()
    if prefix is not None:
        print(f"Installing {PACKAGE}", flush=True)
        environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
        subprocess.run([*environment, "update", "-qq"], check=False, stdout=subprocess.DEVNULL)
        subprocess.run(
            [*environment, "install", "-y", "-qq", "--no-install-recommends", PACKAGE],
            check=False,
            stdout=subprocess.DEVNULL,
        )
        if find_chromium():
            return 0
    print(f"The tests need a browser: install the package {PACKAGE}, then again", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
