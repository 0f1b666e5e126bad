"""The model's budgets: bulk allocation, work a step, memory of a large machine, a lesson."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import hotmem_viz
from benchmarks.row import Row, median_of, timed
from hotmem_viz.catalog import build_run
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.mechanisms.allocator import alloc_pages, free_pages
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.mechanisms.requests import GFP
from hotmem_viz.memory.frames import FrameSet
from hotmem_viz.memory.physical import PhysicalMemory
from hotmem_viz.vocabulary import PageKind
from tests.oracles import Oracle

MILLION = 1_000_000
GIB = 1 << 18
ORACLE_PAGES = 20_000


def real_machine(gib: int) -> PhysicalMemory:
    """Boot an x86-64 machine of one node: 3 GiB below 4 GiB, the rest above."""
    low = (PfnRange(1, 159), PfnRange(256, 3 * GIB))
    ranges = (*low, PfnRange(4 * GIB, (gib + 1) * GIB))
    spec = MachineSpec(f"{gib} GiB", (NodeSpec(0, ranges),))
    return boot_machine(spec, BootOptions(), find_profile("6.1"))


def half_fragment(mem: PhysicalMemory, seed: int = 1) -> None:
    """Hold every second page or so of the lower half of the free memory."""
    held = alloc_pages(mem, GFP["HIGHUSER_MOVABLE"], int(mem.zones.free.sum()) // 2, PageKind.ANON)
    rng = np.random.default_rng(seed)
    drop = rng.integers(0, 1 << 63, len(held.frames.words), dtype=np.uint64)
    some = FrameSet.of_nonzero(held.frames.words, held.frames.bits & drop)
    free_pages(mem, some)


def bulk_rates(mem: PhysicalMemory) -> tuple[float, float]:
    """Allocate, then free, a million single pages; return pages a second of each."""
    gfp = GFP["HIGHUSER_MOVABLE"]
    start = time.perf_counter()
    outcome = alloc_pages(mem, gfp, MILLION, PageKind.ANON, owner=1)
    between = time.perf_counter()
    free_pages(mem, outcome.frames)
    end = time.perf_counter()
    if outcome.granted != MILLION:
        raise RuntimeError(f"only {outcome.granted} pages were granted")
    return MILLION / (between - start), MILLION / (end - between)


def oracle_rates() -> tuple[float, float]:
    """Return pages a second of the page-by-page oracle, on a machine of 256 MiB."""
    mem = build_run("exhaustion", movable=0.0).memory
    mem.owners.add("bench")
    half_fragment(mem)
    oracle = Oracle(mem)
    gfp = GFP["HIGHUSER_MOVABLE"]
    start = time.perf_counter()
    served = oracle.alloc(gfp, ORACLE_PAGES, PageKind.ANON, 0, 0)
    between = time.perf_counter()
    for pfn in served.pfns:
        oracle.free_one(pfn)
    end = time.perf_counter()
    return len(served.pfns) / (between - start), len(served.pfns) / (end - between)


def bulk_rows() -> list[Row]:
    """Measure bulk allocation on a half-fragmented machine of 16 GiB, against the oracle."""
    mem = real_machine(16)
    mem.owners.add("bench")
    half_fragment(mem)
    bulk_rates(mem)
    rates = [bulk_rates(mem) for _ in range(9)]
    fast = [statistics.median(column) for column in zip(*rates, strict=True)]
    slow = oracle_rates()
    ratio = sum(1 / r for r in slow) / sum(1 / r for r in fast)
    what = "allocate, then free, 10^6 pages in bulk"
    rows = [Row(f"{what}, over the oracle", ratio, "x", ">= 200", ratio >= 200)]
    rows += [
        Row(f"{what}: {word}", rate / 1e6, "M pages/s", ">= 100", rate >= 1e8)
        for word, rate in zip(("allocate", "free"), fast, strict=True)
    ]
    return rows


def step_seconds(mem: PhysicalMemory) -> float:
    """Seconds of a step that hands out 10^5 pages; they are given back untimed."""
    gfp = GFP["HIGHUSER_MOVABLE"]
    outcomes = []
    seconds = timed(lambda: outcomes.append(alloc_pages(mem, gfp, 100_000, PageKind.ANON)))
    free_pages(mem, outcomes[0].frames)
    return seconds


def step_rows() -> list[Row]:
    """Measure one step on 1 TiB over the same step on 16 GiB, in pairs."""
    small, large = real_machine(16), real_machine(1024)
    for mem in (small, large):
        half_fragment(mem)
        step_seconds(mem)
    ratio = median_of(15, lambda: step_seconds(large) / step_seconds(small))
    what = "a step of 10^5 pages, 1 TiB over 16 GiB"
    return [Row(what, ratio, "x", "<= 1.5", ratio <= 1.5)]


PEAK = """
from pathlib import Path
from hotmem_viz.machine.boot_options import movable_share
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import MachineSpec, NodeSpec, PfnRange
from hotmem_viz.recording.recorder import record
from hotmem_viz.scenarios.exhaustion import Exhaustion
from hotmem_viz.scenarios.parameters import ExhaustionParameters
from hotmem_viz.scenarios.setup import Setup
def peak():
    # Not ru_maxrss: a child begins with its parent's.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
base = peak()
gib = 1 << 18
ranges = (PfnRange(1, 159), PfnRange(256, 3 * gib), PfnRange(4 * gib, 1025 * gib))
spec = MachineSpec("1 TiB", (NodeSpec(0, ranges),))
setup = Setup(spec, movable_share(0.85), find_profile("6.1"))
run = record(Exhaustion(ExhaustionParameters(), setup))
print((peak() - base) * 1024 / spec.present_pages, run.event_list[-1].kind)
"""


def memory_rows() -> list[Row]:
    """Measure the peak memory of an exhaustion run on 1 TiB, recording included."""
    done = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    per_page, last = done.stdout.split()
    return [
        Row(
            "peak memory of a 1 TiB exhaustion run, recording included",
            float(per_page),
            "bytes/page",
            "<= 8",
            float(per_page) <= 8,
            f"ended with {last}",
        )
    ]


def lesson_rows() -> list[Row]:
    """Measure the classroom lesson: its size as .npz and as a page, the time to make it."""
    hotmem_viz.run("exhaustion")
    gc.collect()
    seconds = median_of(9, lambda: timed(lambda: hotmem_viz.run("exhaustion")))
    recording = hotmem_viz.run("exhaustion")
    with tempfile.TemporaryDirectory() as folder:
        npz = recording.save(Path(folder) / "lesson.npz").stat().st_size
        page = len(recording.to_html().encode())
        server = hotmem_viz.run("exhaustion", machine="server")
        large = len(server.to_html().encode())
    return [
        Row("classroom lesson, ticks", recording.n_ticks, "ticks", "a few hundred", None),
        Row("classroom lesson, recorded in", seconds * 1e3, "ms", "<= 150", seconds <= 0.15),
        Row("classroom lesson, .npz", npz / 1e3, "kB", "<= 300", npz <= 300_000),
        Row("classroom lesson, exported page", page / 1e6, "MB", "<= 2", page <= 2_000_000),
        Row("64 GiB lesson, exported page", large / 1e6, "MB", "<= 2", large <= 2_000_000),
    ]


def all_rows() -> list[Row]:
    """Measure everything of the model."""
    return [*bulk_rows(), *step_rows(), *memory_rows(), *lesson_rows()]
