"""The memory block: how much memory goes offline or comes online at once, 1 to 16 sections.

Blocks count from pfn 0. Sections are the kernel's own unit; what /sys/devices/system/memory
offers is blocks.
"""

from __future__ import annotations

MAX_BLOCK_SECTIONS = 16
"""2 GiB of 128 MiB sections (MAX_BLOCK_SIZE, arch/x86/mm/init_64.c, 6.1)."""

LARGE_BLOCK_PFN = 1 << 24
"""64 GiB: boot memory that ends below has blocks of one section (MEM_SIZE_FOR_LARGE_BLOCK)."""


def probe_memory_block_size(
    end_pfn: int, section_pages: int, *, hypervisor: bool = False, scale: int = 1
) -> int:
    """Return the pages of a memory block of a machine whose boot memory ends at `end_pfn`.

    One section below 64 GiB; above, 16 on bare metal, and under a hypervisor the most that
    the end of boot memory is a multiple of. arch/x86/mm/init_64.c probe_memory_block_size, 6.1.
    `scale` divides the 64 GiB on a classroom machine.
    """
    if end_pfn * scale < LARGE_BLOCK_PFN:
        return section_pages
    sections = MAX_BLOCK_SECTIONS
    while hypervisor and sections > 1 and end_pfn % (sections * section_pages):
        sections //= 2
    return sections * section_pages
