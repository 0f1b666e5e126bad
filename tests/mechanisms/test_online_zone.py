"""Which zone a memory block comes into: by word, by span, by the ratio of auto-movable (G12)."""

from __future__ import annotations

from hotmem_viz.machine.boot_options import parse_boot_options
from hotmem_viz.mechanisms.add_memory import add_memory, online_memory
from hotmem_viz.mechanisms.hotplug import take_out
from hotmem_viz.mechanisms.online_zone import choose_zone
from hotmem_viz.memory.added import MemoryGroup
from hotmem_viz.vocabulary import ZoneType
from tests.slots import BLOCK, real_machine

DMA32, NORMAL, MOVABLE = ZoneType.DMA32, ZoneType.NORMAL, ZoneType.MOVABLE
PLAIN = parse_boot_options("", strict=True)
AUTO = "memory_hotplug.online_policy=auto-movable"


def options(text):
    return parse_boot_options(text, strict=True)


def test_g12_the_quota_of_auto_movable():
    """8 GiB of early kernel memory at 301 %: 192 blocks of 128 MiB; the 193rd is the kernel's."""
    mem, top = real_machine(8, 195)
    asked = options(AUTO)
    chosen = []
    for i in range(195):
        start = top + i * BLOCK
        add_memory(mem, start, start + BLOCK, asked)
        (zone,) = online_memory(mem, start, start + BLOCK, asked).by_zone
        chosen.append(ZoneType(int(mem.zones.type[zone])))
    assert chosen == [MOVABLE] * 192 + [NORMAL] * 3


def test_a_dimm_comes_as_a_whole_or_not_at_all():
    # 1 GiB early, 130 %: 10 blocks of Movable. A DIMM of 8 fits, a second one does not beside the
    # 3 blocks online of the first, though one block of it would.
    mem, top = real_machine(1, 16)
    asked = options(f"{AUTO} memory_hotplug.auto_movable_ratio=130")
    for dimm, zone in ((0, MOVABLE), (1, NORMAL)):
        start = top + dimm * 8 * BLOCK
        add_memory(mem, start, start + 8 * BLOCK, asked)
        # Its first block decides for all, even for one that would fit by itself.
        for i in (3, 0, 7):
            block = start + i * BLOCK
            online_memory(mem, block, block + BLOCK, asked)
            assert mem.zones.type[mem.zone[block // BLOCK, 0]] == zone
    movable = mem.zones.present[mem.zones.type == MOVABLE].sum()
    assert movable == 3 * BLOCK


def test_a_dimm_with_a_kernel_block_becomes_the_kernels():
    mem, top = real_machine(1, 4)
    add_memory(mem, top, top + 4 * BLOCK, PLAIN)
    asked = options(AUTO)
    assert choose_zone(mem, top, top + BLOCK, "online", asked) == MOVABLE
    online_memory(mem, top + 2 * BLOCK, top + 3 * BLOCK, asked, how="online_kernel")
    assert choose_zone(mem, top, top + BLOCK, "online", asked) == NORMAL


def test_the_ratio_is_kept_on_the_node_too_unless_told_otherwise():
    # Node 1 has 2 early blocks: at 301 % 6 may be Movable there, while the machine allows 30.
    for text, blocks in (("", 6), (" memory_hotplug.auto_movable_numa_aware=0", 30)):
        mem, top = real_machine(1, 32, second=2)
        asked = options(AUTO + text)
        movable = 0
        for i in range(32):
            add_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, asked)
            done = online_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, asked)
            movable += mem.zones.row(1, MOVABLE) in done.by_zone
        assert movable == blocks


def test_kernel_memory_of_a_dynamic_device_counts_for_itself_alone():
    # 1 GiB early at 100 %: 8 blocks. The device's own two kernel blocks make room for two more.
    mem, top = real_machine(1, 24)
    asked = options(f"{AUTO} memory_hotplug.auto_movable_ratio=100")
    device = MemoryGroup(top, top + 16 * BLOCK, unit_pages=BLOCK)
    add_memory(mem, top, top + 16 * BLOCK, asked, device)
    online_memory(mem, top, top + 2 * BLOCK, asked, how="online_kernel")
    for i in range(2, 13):
        online_memory(mem, top + i * BLOCK, top + (i + 1) * BLOCK, asked)
    types = mem.zones.type[mem.zone[8:21, 0]].tolist()
    assert types == [NORMAL] * 2 + [MOVABLE] * 10 + [NORMAL]
    # To another device its 10 movable blocks cost 10 - 3 early ones, 8 - 7 are left: one block.
    other = top + 16 * BLOCK
    for i in range(2):
        add_memory(mem, other + i * BLOCK, other + (i + 1) * BLOCK, asked)
        online_memory(mem, other + i * BLOCK, other + (i + 1) * BLOCK, asked)
    assert mem.zones.type[mem.zone[24:26, 0]].tolist() == [MOVABLE, NORMAL]


def test_a_unit_of_a_dynamic_device_is_of_one_zone():
    mem, top = real_machine(1, 8)
    asked = options(AUTO)
    device = MemoryGroup(top, top + 8 * BLOCK, unit_pages=4 * BLOCK)
    add_memory(mem, top, top + 8 * BLOCK, asked, device)
    online_memory(mem, top + BLOCK, top + 2 * BLOCK, asked, how="online_kernel")
    assert choose_zone(mem, top + 2 * BLOCK, top + 3 * BLOCK, "online", asked) == NORMAL
    assert choose_zone(mem, top + 4 * BLOCK, top + 5 * BLOCK, "online", asked) == MOVABLE


def test_plain_online_follows_the_zone_that_spans_the_block():
    mem, top = real_machine(1, 6)
    add_memory(mem, top, top + 6 * BLOCK, PLAIN)

    def zone(i, how="online", text=""):
        return choose_zone(mem, top + i * BLOCK, top + (i + 1) * BLOCK, how, options(text))

    # Nothing of Normal or Movable spans it, above DMA32: the kernel's unless movable_node.
    assert (zone(0), zone(0, text="movable_node")) == (NORMAL, MOVABLE)
    assert (zone(0, "online_kernel"), zone(0, "online_movable")) == (NORMAL, MOVABLE)
    online_memory(mem, top + BLOCK, top + 2 * BLOCK, PLAIN, how="online_movable")
    online_memory(mem, top + 4 * BLOCK, top + 5 * BLOCK, PLAIN, how="online_movable")
    # Between two Movable blocks its span decides, at either side the default.
    assert [zone(i) for i in (0, 2, 3, 5)] == [NORMAL, MOVABLE, MOVABLE, NORMAL]
    online_memory(mem, top, top + BLOCK, PLAIN)
    online_memory(mem, top + 3 * BLOCK, top + 4 * BLOCK, PLAIN, how="online_kernel")
    # Now both span block 2: as if none did.
    assert (zone(2), zone(2, text="movable_node")) == (NORMAL, MOVABLE)
    # A block of boot memory in DMA32's span goes back to it, whatever "kernel" means elsewhere.
    take_out(mem, 2 * BLOCK, 3 * BLOCK)
    assert choose_zone(mem, 2 * BLOCK, 3 * BLOCK, "online_kernel", PLAIN) == DMA32
    # At its end the span has shrunk: there is no way back.
    take_out(mem, 7 * BLOCK, 8 * BLOCK)
    assert choose_zone(mem, 7 * BLOCK, 8 * BLOCK, "online_kernel", PLAIN) == NORMAL
