"""Lowmem of 32-bit kernels: the address arithmetic, the two options, the split."""

from __future__ import annotations

import pytest

from hotmem_viz.errors import BootOptionError, ParameterError
from hotmem_viz.machine.boot_layout import lay_out_boot
from hotmem_viz.machine.boot_options import BootOptions, parse_boot_options
from hotmem_viz.machine.lowmem import lowmem_end_pfn, window_start
from hotmem_viz.machine.page_geometry import find_geometry
from hotmem_viz.machine.profiles import find_profile
from hotmem_viz.machine.spec import Arch, MachineSpec, NodeSpec, PfnRange
from hotmem_viz.machine.zone_plan import plan_zones
from hotmem_viz.vocabulary import ZoneType

PAE, OLD = find_profile("6.1-pae"), find_profile("2012-pae")
MIB = 256


def machine(gib: int) -> MachineSpec:
    """A 32-bit machine with a hole below 4 GiB, as QEMU's pc has it."""
    end = gib << 18
    low, rest = min(end, 3 << 18), max(0, end - (3 << 18))
    ranges = [PfnRange(1, 159), PfnRange(256, low)]
    if rest:
        ranges.append(PfnRange(1 << 20, (1 << 20) + rest))
    return MachineSpec("pc", (NodeSpec(0, tuple(ranges)),), Arch.PAE, 131072)


def normal_end(text: str, profile=PAE, gib: int = 4) -> int:
    spec = machine(gib)
    span = plan_zones(spec, parse_boot_options(text, strict=False), profile).find(
        0, ZoneType.NORMAL
    )
    assert span is not None
    return span.end_pfn


def test_the_measured_end_of_lowmem_is_derived_from_the_windows():
    # All captures of 6.1.0-50-686-pae show it: 879.99 MiB.
    assert lowmem_end_pfn(PAE) == 225278


def test_windows_are_rounded_down_to_two_mib_one_below_the_other():
    top = 0xFFFF_F000
    # One page of each, and the page of the interrupt table: all inside the topmost 2 MiB.
    assert window_start(1, 1) == 0xFFE0_0000 - 0x40_0000 - 0x2000
    first = [n for n in range(2000, 3200) if window_start(n, 0) == 0xFEFF_E000]
    assert (first[0], first[-1]) == (2558 + 1, 3069 + 1)
    assert first == list(range(first[0], first[-1] + 1))
    assert (top - 0xFF40_0000) // 4096 == first[-1] + 1


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("", 225278),
        # 8 MiB more than asked for stay unused: a hole before the vmalloc area.
        ("vmalloc=128M", 225278 - 8 * MIB),
        ("vmalloc=192M", 225278 - 72 * MIB),
        ("vmalloc=256m quiet", 225278 - 136 * MIB),
        ("vmalloc=0x10000000", 225278 - 136 * MIB),
        ("vmalloc=64M", 225278 + 56 * MIB),
        ("vmalloc=512M vmalloc=64M", 225278 + 56 * MIB),
    ],
)
def test_vmalloc_moves_the_end_of_lowmem(text, end):
    assert normal_end(text) == end


@pytest.mark.parametrize(
    ("split", "mib", "processes"), [("3G/1G", 879, 3), ("2G/2G", 1903, 2), ("1G/3G", 2927, 1)]
)
def test_the_split_decides_lowmem_and_what_a_process_has(split, mib, processes):
    kernel = PAE.with_vmsplit(split)
    assert normal_end("", kernel) // MIB == mib
    geometry = find_geometry(kernel)
    assert (geometry.ready_made, geometry.user_pages) == (processes, processes << 18)
    old = OLD.with_vmsplit(split)
    assert normal_end("", old) == (4096 - processes * 1024 - 128) * MIB


def test_more_lowmem_leaves_more_of_it_after_the_same_map():
    spec = machine(16)
    left = {}
    for split in ("3G/1G", "2G/2G"):
        kernel = PAE.with_vmsplit(split)
        plan = plan_zones(spec, BootOptions(), kernel)
        layout = lay_out_boot(spec, plan, BootOptions(), kernel)
        left[split] = layout.managed_pages(plan)[0, ZoneType.NORMAL]
    # The gain is the GiB less larger hash tables: 1903 MiB round up to 2**18 entries for dentries
    # and half as many for inodes, of 4 bytes each; 879 MiB to half of both.
    assert left["2G/2G"] - left["3G/1G"] == (1 << 18) - 192


def test_a_machine_smaller_than_lowmem_has_no_high_memory():
    plan = plan_zones(machine(1), parse_boot_options("vmalloc=64M", strict=True), OLD)
    assert plan.find(0, ZoneType.HIGHMEM) is not None
    small = MachineSpec("pc", (NodeSpec(0, (PfnRange(1, 200000),)),), Arch.PAE, 131072)
    assert plan_zones(small, BootOptions(), PAE).find(0, ZoneType.HIGHMEM) is None


def test_no_lowmem_no_boot():
    with pytest.raises(ParameterError, match=r"^vmalloc: .* 16M of lowmem"):
        normal_end("vmalloc=990M")


def test_the_options_mean_nothing_to_a_64_bit_kernel():
    spec = MachineSpec("pc", (NodeSpec(0, (PfnRange(1, 1 << 19),)),))
    with_options = parse_boot_options("vmalloc=300M userpte=nohigh", strict=True)
    kernel = find_profile("6.1")
    assert plan_zones(spec, with_options, kernel) == plan_zones(spec, BootOptions(), kernel)
    with pytest.raises(ParameterError, match=r"^vmsplit: .* has no such split"):
        kernel.with_vmsplit("2G/2G")
    with pytest.raises(ParameterError, match=r"^vmsplit: .* allowed are 3G/1G"):
        PAE.with_vmsplit("2G_OPT")


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("vmalloc=192M", {"vmalloc_bytes": 192 << 20}),
        ("userpte=nohigh", {"userpte_nohigh": True}),
    ],
)
def test_a_person_and_the_kernel_read_them_alike(text, fields):
    for strict in (True, False):
        assert parse_boot_options(text, strict=strict) == BootOptions(**fields, text=text)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("userpte=high", {}),
        ("userpte=nohigh userpte=high", {"userpte_nohigh": True}),
        ("userpte", {}),
        ("vmalloc=junk", {"vmalloc_bytes": 0}),
        ("vmalloc=1Gjunk", {"vmalloc_bytes": 1 << 30}),
        ("vmalloc", {}),
    ],
)
def test_the_kernel_accepts_much(text, fields):
    read = parse_boot_options(text, strict=False)
    assert read == BootOptions(**{"userpte_nohigh": False, **fields}, text=text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("userpte=high", "nohigh is allowed"),
        ("userpte", "nohigh is allowed"),
        ("vmalloc=25%", "a size such as 512M is allowed"),
        ("vmalloc=1000", "multiple of the 4K page"),
        ("vmalloc=1M vmalloc=2M", "once"),
        ("vmaloc=1M", "did you mean vmalloc"),
    ],
)
def test_a_person_is_told_what_is_allowed(text, says):
    with pytest.raises(BootOptionError) as error:
        parse_boot_options(text, strict=True)
    assert says in str(error.value)
