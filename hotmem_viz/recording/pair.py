"""Two recordings on one time cursor, the left one and the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotmem_viz.recording.lineup import SIDES, Lineup, find_cursor

if TYPE_CHECKING:
    from hotmem_viz.recording.recording import Recording


class Pair(Lineup):
    """Two recordings side by side; see `Lineup`."""

    @property
    def left(self) -> Recording:
        """The first recording."""
        return self.recordings[0]

    @property
    def right(self) -> Recording:
        """The second recording."""
        return self.recordings[1]


def pair_recordings(
    left: Recording, right: Recording, by: str = "tick", titles: tuple[str, str] | None = None
) -> Pair:
    """Put two recordings on one time cursor; `by` as in `lineup.find_cursor`.

    titles: what to call them, by default what their recordings differ in. Raises ParameterError
    if they cannot be paired so.
    """
    both = (left, right)
    return Pair(both, titles or _titles(left, right), find_cursor(both, by), by)


def _titles(left: Recording, right: Recording) -> tuple[str, str]:
    """Name two recordings by the first thing in which they differ."""
    metas = (left.meta, right.meta)
    for read in (
        lambda m: f"kernel {m['profile']}" if "profile" in m else "",
        lambda m: m["machine"].get("title", ""),
        lambda m: m.get("title", ""),
    ):
        a, b = (str(read(meta)) for meta in metas)
        if a and b and a != b:
            return a, b
    first, second = (meta.get("parameters", {}) for meta in metas)
    for name in first:
        if name in second and first[name] != second[name]:
            return _in_words(name, first[name]), _in_words(name, second[name])
    return SIDES


def _in_words(name: str, value: object) -> str:
    return f"usual {name}" if value is None or value == "" else f"{name} {value}"
