"""How much memory a 32-bit kernel maps for good: lowmem, all that is left of its address space.

From the border between programs and kernel up to the windows at the top of the address space, less
what vmalloc() keeps for itself: MAXMEM, arch/x86/include/asm/pgtable_32_areas.h; parse_vmalloc,
arch/x86/mm/pgtable_32.c; find_low_pfn_range, arch/x86/mm/init_32.c (6.1). KERNEL.md 2.3.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.vocabulary import PAGE_SHIFT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.profiles import KernelProfile

PAGE_OFFSETS: Mapping[str, int] = MappingProxyType(
    {"3G/1G": 0xC000_0000, "2G/2G": 0x8000_0000, "1G/3G": 0x4000_0000}
)
"""Where the kernel's part begins, by split (CONFIG_VMSPLIT_*, arch/x86/Kconfig; those PAE has)."""

VMALLOC_RESERVE = 128 << 20
VMALLOC_OFFSET = 8 << 20
"""A hole between lowmem and the vmalloc area, which vmalloc= adds to the size asked for."""

_TOP, _PAGE, _PMD = 0xFFFF_F000, 1 << PAGE_SHIFT, 1 << 21
_HIGHEST = 1 << 32
_GUARD = 2 * _PAGE


def window_start(fixmaps: int, entry_area: int) -> int:
    """Return the end of the vmalloc area of a PAE kernel: VMALLOC_END.

    fixmaps, entry_area: pages of fixed mappings (FIXADDR_TOT_SIZE) and of the CPU entry areas,
    which grow with CONFIG_NR_CPUS. Below them lie windows for the LDT and for kmap, and every
    border is rounded down to what one entry of a PMD spans.
    """
    entry = _TOP - fixmaps * _PAGE - (entry_area + 1) * _PAGE
    entry -= entry % _PMD
    ldt = entry - _PAGE
    ldt -= ldt % _PMD
    kmap = ldt - _PAGE
    return kmap - kmap % _PMD - _GUARD


def page_offset(split: str) -> int:
    """Return where the kernel's part of the address space begins, for a split such as "2G/2G".

    Raises
    ------
    ParameterError
        For a split that no PAE kernel can be built with.
    """
    if split not in PAGE_OFFSETS:
        raise ParameterError("vmsplit", split, f"allowed are {', '.join(PAGE_OFFSETS)}")
    return PAGE_OFFSETS[split]


def lowmem_end_pfn(profile: KernelProfile, options: BootOptions | None = None) -> int:
    """Return the pfn where lowmem ends on a machine that has more memory than that.

    Raises
    ------
    ParameterError
        When vmalloc= leaves no lowmem: such a kernel does not boot.
    """
    reserve = VMALLOC_RESERVE
    if options is not None and options.vmalloc_bytes is not None:
        # The variable has 32 bits, whatever was asked for.
        reserve = (options.vmalloc_bytes + VMALLOC_OFFSET) % _HIGHEST
    room = profile.vmalloc_end - profile.page_offset - reserve
    if room < 1 << 24:
        size = (options.vmalloc_bytes or 0) if options else 0
        raise ParameterError("vmalloc", size, "it must leave at least 16M of lowmem")
    return room >> PAGE_SHIFT
