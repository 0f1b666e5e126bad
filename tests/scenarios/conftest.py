"""Lessons that several tests look at, run once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import hotmem_viz

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.recording.recording import Recording


@cache
def _run(parameters: tuple[tuple[str, Any], ...]) -> Recording:
    return hotmem_viz.run("exhaustion", **dict(parameters))


@pytest.fixture(scope="session")
def lesson() -> Callable[..., Recording]:
    """Run the exhaustion lesson with some parameters, or return the recording of last time."""

    def run(**parameters: Any) -> Recording:
        return _run(tuple(sorted(parameters.items())))

    return run
