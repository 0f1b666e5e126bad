"""MemAvailable by the model's formula, from the zones that a real kernel printed beside it."""

from __future__ import annotations

import numpy as np
import pytest

from hotmem_viz.kernel.captures import capture_names, open_capture, spec_from_capture
from hotmem_viz.machine.boot_layout import lay_out_boot
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.mechanisms.oom import available_pages, total_reserve

BOOTED = [n for n in capture_names() if n[0] in "abe" and open_capture(n).has("boot/meminfo")]


@pytest.mark.parametrize("name", BOOTED)
def test_it_is_what_the_kernel_claims(name):
    capture = open_capture(name)
    zones = capture.zoneinfo("boot")
    said = capture.meminfo("boot")
    names = ("managed", "high", "low", "boost")
    column = {name: np.array([getattr(z, name) for z in zones]) for name in names}
    protection = np.array([max(z.protection) for z in zones])
    spec, options = spec_from_capture(capture)
    profile = find_profile(capture.profile_name)
    layout = lay_out_boot(spec, plan_zones(spec, options, profile), options, profile)
    later = {(n, zone.label): pages for (n, zone), pages in layout.freed_after_init.items()}
    initial = column["managed"] - [later.get((z.nid, z.name), 0) for z in zones]
    claimed = available_pages(
        free=said["MemFree"] // 4,
        reserve=total_reserve(initial, column["high"] - column["boost"], protection),
        low=int(column["low"].sum()),
        cache=(said["Active(file)"] + said["Inactive(file)"]) // 4,
        slab=said["KReclaimable"] // 4,
    )
    assert claimed * 4 == said["MemAvailable"]
