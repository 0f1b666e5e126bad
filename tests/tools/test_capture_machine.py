"""QEMU's command line, and the table of hot-pluggable memory."""

from __future__ import annotations

import itertools

import pytest

from hotmem_viz.kernel.captures import open_capture
from hotmem_viz.kernel.srat import parse_srat
from tools.capture.catalog import ORDERS, Order
from tools.capture.errors import CaptureToolError
from tools.capture.machine import Machine, cpu_model, fill_in, mib, qemu_command
from tools.capture.srat import build_srat, memory_ranges

THREE = Machine("2560M", ("768M", "512M", "1280M"), below_4g="1G", cpus=2, slots=4, limit="8G")


def after(words: list[str], flag: str) -> list[str]:
    return [b for a, b in itertools.pairwise(words) if a == flag]


def test_nodes_cpus_and_slots_reach_qemu():
    words = qemu_command(THREE, "quiet hm.scen=boot")
    assert after(words, "-machine") == ["pc,max-ram-below-4g=1G"]
    assert after(words, "-m") == ["2560M,slots=4,maxmem=8G"]
    assert after(words, "-smp") == ["2"]
    assert after(words, "-append") == ["quiet hm.scen=boot"]
    assert after(words, "-numa") == [
        "node,nodeid=0,memdev=ram0,cpus=0-1",
        "node,nodeid=1,memdev=ram1",
        "node,nodeid=2,memdev=ram2",
    ]
    sizes = [o.split("size=")[1] for o in after(words, "-object")]
    assert sizes == ["768M,reserve=off", "512M,reserve=off", "1280M,reserve=off"]


def test_time_is_counted_in_instructions_on_one_cpu_alone():
    assert "-icount" in qemu_command(Machine(), "")
    assert "-icount" not in qemu_command(Machine(cpus=2), "")


def test_a_machine_with_slots_has_a_node_that_a_table_describes():
    assert after(qemu_command(Machine("1G", slots=1, limit="2G"), ""), "-numa")
    assert not after(qemu_command(Machine("1G"), ""), "-numa")


def test_later_kernels_do_without_cmpxchg16b():
    assert cpu_model("6.1.0-56-cloud-amd64") == "qemu64"
    assert cpu_model("6.12.107+deb13-cloud-amd64") == "qemu64,-cx16"


def test_files_are_filled_in_and_nothing_else():
    words = ["-initrd", "@INITRD@", "file,path=@CONSOLE@", "user@host"]
    names = {"INITRD": "/x/initrd", "CONSOLE": "/x/console"}
    assert fill_in(words, names) == ["-initrd", "/x/initrd", "file,path=/x/console", "user@host"]


@pytest.mark.parametrize(("text", "size"), [("512M", 512), ("3G", 3072), ("2g", 2048)])
def test_sizes_are_read(text, size):
    assert mib(text) == size


@pytest.mark.parametrize("text", ["", "512", "0M", "-1G", "1.5G", "1T", "²G", "G"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(CaptureToolError, match="is no size of memory"):
        mib(text)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ({"memory": "2G", "nodes": ("1G", "512M")}, "do not add up"),
        ({"cpus": 0}, "CPUs"),
        ({"slots": 2}, "limit"),
        ({"memory": "2G", "slots": 2, "limit": "1G"}, "limit"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(words, complaint):
    with pytest.raises(CaptureToolError, match=complaint):
        Machine(**words)


def test_the_table_says_what_lies_where():
    ranges = memory_ranges(THREE, [1])
    gib = 1 << 30
    assert ranges == [
        (0, 768 << 20, 0, False),
        (768 << 20, 256 << 20, 1, True),
        (4 * gib, 256 << 20, 1, True),
        (4 * gib + (256 << 20), 1280 << 20, 2, False),
    ]
    table = build_srat(ranges, cpus=2)
    assert sum(table) % 256 == 0
    read = [(m.start_pfn, m.end_pfn, m.domain, m.hotpluggable) for m in parse_srat(table, "table")]
    assert read == [(a // 4096, (a + n) // 4096, nid, hot) for a, n, nid, hot in ranges]


def test_the_table_is_the_one_that_a_kernel_took_before():
    """Compared with the bytes that /sys/firmware/acpi gave on another machine of that form."""
    capture = open_capture("a-movable_node-srat1")
    table = capture.data("acpi/SRAT")
    mine = build_srat([(a, n, nid, hot) for a, n, nid, hot in capture.manifest["srat_override"]], 1)
    assert mine == table


def test_marks_need_nodes():
    with pytest.raises(CaptureToolError, match="need nodes"):
        memory_ranges(Machine(), [0])


def test_orders_have_names_of_their_own_and_boot_what_they_say():
    names = [order.name for order in ORDERS]
    assert len(set(names)) == len(names)
    for order in ORDERS:
        words = order.cmdline.split()
        assert f"hm.scen={order.scenario}" in words
        assert all(option in words for option in order.append.split())
        assert all(f"hm.{k}={v}" in words for k, v in order.arguments.items())


def test_a_load_must_be_named():
    with pytest.raises(CaptureToolError, match="needs a load"):
        Order("b-x", "x", scenario="meta")
    with pytest.raises(CaptureToolError, match="no scenario 'sleep'"):
        Order("b-x", "x", scenario="sleep")
