"""Lessons that several tests look at, run once."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import hotmem_viz

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotmem_viz.recording.recording import Recording

LESSONS: dict[str, dict[str, Any]] = {
    "classroom": {},
    "classroom, no movable": {"movable": 0.0, "user": 0.3},
    "classroom, mostly user": {"movable": 0.2, "user": 0.9},
    "sockets": {"movable": 0.85, "workload": "sockets", "seed": 3},
    "pipes": {"workload": "pipes", "user": 0.2},
    "cache": {"workload": "cache"},
    "mail": {"machine": "mail"},
    "pae": {"machine": "pae"},
}


@cache
def _run(parameters: tuple[tuple[str, Any], ...]) -> Recording:
    return hotmem_viz.run("exhaustion", **dict(parameters))


@pytest.fixture(scope="session")
def lesson() -> Callable[..., Recording]:
    """Run the exhaustion lesson with some parameters, or return the recording of last time."""

    def run(**parameters: Any) -> Recording:
        return _run(tuple(sorted(parameters.items())))

    return run


@pytest.fixture(params=list(LESSONS))
def any_lesson(request, lesson):
    return lesson(**LESSONS[request.param])


@pytest.fixture(params=[n for n in LESSONS if n not in ("pae", "cache")])
def page_by_page(request, lesson):
    """Return a lesson whose cells are single pages."""
    recording = lesson(**LESSONS[request.param])
    assert recording.meta["pages_per_cell"] == 1
    return recording
