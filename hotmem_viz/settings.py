"""Where the package finds its own files, and the one setting that launch links come from."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = ""
"""`owner/name` on GitHub. Empty until the project has a public home; links then lose their host."""

BRANCH = "HEAD"
"""What Binder builds."""

BINDER_HOST = "https://mybinder.org"
NOTEBOOK_URLPATH = "lab/tree/notebooks/00-map-of-memory.ipynb"
DASHBOARD_URLPATH = "voila/render/notebooks/dashboard.ipynb"


def package_folder() -> Path:
    """Return the folder of the installed package, or of the checkout's `hotmem_viz`."""
    return Path(__file__).resolve().parent


def checkout_folder() -> Path | None:
    """Return the top folder of the source checkout the package runs from, if it does."""
    top = package_folder().parent
    return top if (top / "pyproject.toml").is_file() and (top / "notebooks").is_dir() else None


def _shipped(name: str) -> Path:
    """Return a folder that is at the top of a checkout and inside the package of a wheel."""
    top = checkout_folder()
    return package_folder() / name if top is None else top / name


def notebooks_folder() -> Path:
    """Return the folder of the course's notebooks; not to be written to in a wheel."""
    return _shipped("notebooks")


def data_folder() -> Path:
    """Return the folder of captures and golden data."""
    return _shipped("data")


def binder_link(urlpath: str, repository: str | None = None) -> str:
    """Return the link that opens `urlpath` on Binder, or `?urlpath=...` without a repository.

    `repository` is `owner/name`; left out, it is the REPOSITORY setting.
    """
    repository = REPOSITORY if repository is None else repository
    query = f"?urlpath={urlpath}"
    return f"{BINDER_HOST}/v2/gh/{repository}/{BRANCH}{query}" if repository else query
