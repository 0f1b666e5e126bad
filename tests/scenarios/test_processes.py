"""Small processes: the tables that kernels show for one, on every kind of kernel."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.kernel.table_run import count_tables_told
from hotmem_viz.machine.boot_options import BootOptions
from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.machine.presets import find_preset
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.mechanisms.boot import boot_machine
from hotmem_viz.memory.address_spaces import AddressSpaces
from hotmem_viz.memory.invariants import validate_memory
from hotmem_viz.memory.table_invariants import validate_spaces
from hotmem_viz.scenarios.processes import lay_out_process, start_small
from hotmem_viz.vocabulary import PageKind


def make(profile: str) -> AddressSpaces:
    kernel = find_profile(profile)
    spec = find_preset("pae" if profile.endswith("pae") else "classroom")
    mem = boot_machine(spec, BootOptions(), kernel)
    mem.owners.add("small")
    return AddressSpaces(mem, find_geometry(kernel))


@pytest.mark.parametrize(
    ("profile", "levels", "frames", "told"),
    [
        # PTE, PMD, PUD, PGD. Sleeping processes of b-procs-85 show 7 tables and cost 11 pages.
        ("6.1", [4, 3, 2, 1], 11, 7),
        ("6.12", [4, 3, 2, 1], 11, 9),
        # One page of PGD, which is told of, too.
        ("7.2", [4, 3, 2, 1], 10, 10),
        # e-ptes-04G-nohighpte: 7 for each process, the top table inside a slab.
        ("6.1-pae", [4, 3, 1], 7, 7),
    ],
)
def test_a_small_process_has_the_tables_that_kernels_show(profile, levels, frames, told):
    s = make(profile)
    before = s.mem.zone_kinds[:, PageKind.PAGE_TABLE].sum()
    rows = start_small(s, lay_out_process(s.geometry), 5, s.mem.owners.names.index("small"))
    assert len(rows) == 5
    assert s.spaces.levels[rows].tolist() == [levels] * 5
    assert s.mem.zone_kinds[:, PageKind.PAGE_TABLE].sum() - before == 5 * frames
    assert count_tables_told(s) == 5 * told
    assert s.spaces.rss[rows].tolist() == [4] * 5
    validate_spaces(s)
    validate_memory(s.mem)


@pytest.mark.parametrize("split", ["3G/1G", "2G/2G", "1G/3G"])
def test_the_layout_fits_every_split(split):
    geometry = find_geometry(find_profile("6.1-pae").with_vmsplit(split))
    layout = lay_out_process(geometry)
    ends = [p.start + p.pages for p in layout.parts]
    assert max(ends) < geometry.user_pages
    starts = np.sort([p.start for p in layout.parts])
    assert (starts[1:] >= np.sort(ends)[:-1]).all()


def test_processes_that_do_not_fit_are_left_out_of_the_answer():
    s = make("6.1")
    owner, layout = s.mem.owners.names.index("small"), lay_out_process(s.geometry)
    started = 0
    while len(rows := start_small(s, layout, 50, owner)) == 50:
        started += 50
    started += len(rows)
    kernel = s.mem.zones.type <= 2
    line = s.mem.zones.min + s.mem.zones.boost + s.mem.zones.protection[:, 2]
    left = np.maximum(s.mem.zones.free - line, 0)[kernel].sum()
    assert started > 100
    assert left < 11
    validate_spaces(s)
