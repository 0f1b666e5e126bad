"""Which node served kernel pages that another asked for, and how far away it is (S3)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hotmem_viz.machine.spec import LOCAL_DISTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.spec import MachineSpec


class Locality:
    """Counts kernel pages by the distance of the node that served them.

    distances: those that may occur, ascending, a node's own first. Reclaim and freeing do not take
    anything off: what counts is who had to serve.
    """

    def __init__(self, spec: MachineSpec) -> None:
        self.spec = spec
        nids = spec.nids
        self.distances = sorted(
            {LOCAL_DISTANCE, *(spec.distance(a, b) for a in nids for b in nids)}
        )
        self.begin()

    def begin(self) -> None:
        """Begin anew: nothing has been served."""
        self.pages: Counter[int] = Counter()

    def note(self, nid: int, served: Mapping[int, int]) -> None:
        """Note pages that node `nid` asked for, by the node that served them."""
        for other, pages in served.items():
            self.pages[self.spec.distance(nid, other)] += pages

    @property
    def remote(self) -> int:
        """Pages that another node served."""
        return sum(n for distance, n in self.pages.items() if distance != LOCAL_DISTANCE)

    @property
    def mean(self) -> float:
        """Mean distance of all pages; a node's own as long as there are none."""
        total = sum(self.pages.values())
        weight = sum(distance * n for distance, n in self.pages.items())
        return weight / total if total else float(LOCAL_DISTANCE)

    def describe(self) -> list[dict[str, Any]]:
        """Return names, units and labels of the counters, in the order of `read`."""
        rows = [
            {"name": f"distance.{d}", "unit": "pages", "label": f"kernel pages from distance {d}"}
            for d in self.distances
        ]
        mean = {"name": "distance.mean", "unit": "", "label": "mean distance of kernel pages"}
        return [*rows, mean]

    def read(self) -> list[float]:
        """Read the counters."""
        return [*(float(self.pages[d]) for d in self.distances), self.mean]
