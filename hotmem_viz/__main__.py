"""Lets `python -m hotmem_viz` do what the console script does."""

from __future__ import annotations

from hotmem_viz.cli import main

if __name__ == "__main__":
    main()
