"""What boot leaves behind: ranges that never come back, and pages that the system uses."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from hotmem_viz.errors import ParameterError
from hotmem_viz.machine.boot_use import BootUse, booted_use, hash_table_pages
from hotmem_viz.machine.booted import BootLayout, BootRange
from hotmem_viz.machine.memblock import Memblock
from hotmem_viz.machine.movable_start import hotplug_nodes
from hotmem_viz.machine.spec import Arch, MachineSpec
from hotmem_viz.machine.zone_plan import FOUR_GIB_PFN, PAE_END_PFN, ZonePlan, scaled, zone_borders
from hotmem_viz.vocabulary import PAGE_SIZE, PageKind, ZoneType

if TYPE_CHECKING:
    from hotmem_viz.machine.boot_options import BootOptions
    from hotmem_viz.machine.footprint import BootFootprint
    from hotmem_viz.machine.profiles import KernelProfile

__all__ = ["BootLayout", "BootRange", "BootUse", "lay_out_boot"]


def lay_out_boot(
    spec: MachineSpec, plan: ZonePlan, options: BootOptions, profile: KernelProfile
) -> BootLayout:
    """Place what a booting kernel takes, where the kernel places it.

    On a classroom machine all footprints are divided by 32, rounded up; the memory map is
    not, because a struct page is as large as ever.

    Raises
    ------
    ParameterError
        When the machine is too small to boot.
    """
    profile = profile.for_arch(spec.arch)
    boot = _Boot(spec, plan, options, profile)
    boot.take_low_memory()
    if spec.arch is Arch.PAE:
        boot.take_pae_lowmem()
    else:
        boot.take_nodes()
        boot.take_bounce_buffers()
    return boot.finish()


class _Boot:
    """Boot in progress: the order of the methods is that of the kernel."""

    def __init__(
        self, spec: MachineSpec, plan: ZonePlan, options: BootOptions, profile: KernelProfile
    ) -> None:
        self.spec, self.plan, self.profile = spec, plan, profile
        self.footprint: BootFootprint = profile.footprint
        self.hotplug = hotplug_nodes(spec, options)
        self.memory = Memblock(spec, self.hotplug)
        self.reserved: list[BootRange] = []
        self.image_pfn = 0
        self.initrd = (0, 0)
        self.four_gib = scaled(FOUR_GIB_PFN, spec.scale)
        self.lowmem_end = zone_borders(spec, profile, options).spans[ZoneType.NORMAL][1]

    def scaled(self, pages: int) -> int:
        """Divide a footprint by the machine's scale, rounded up."""
        return scaled(pages, self.spec.scale)

    def keep(self, start: int, pages: int, kind: PageKind, why: str) -> None:
        """Note what was taken for good."""
        if pages:
            self.reserved.append(BootRange(start, pages, kind, why))

    def take(
        self,
        pages: int,
        kind: PageKind,
        why: str,
        *,
        nid: int | None = None,
        align: int = 1,
        limit: int | None = None,
    ) -> None:
        """Take pages from the top and keep them."""
        start = self.memory.allocate(pages, why, nid=nid, align=align, limit=limit)
        self.keep(start, pages, kind, why)

    def take_low_memory(self) -> None:
        """Take the first MiB, the kernel's image and, for a while, the initial ramdisk."""
        fp = self.footprint
        first_mib = self.scaled(fp.first_mib)
        extra = self.scaled(fp.movable_node_crumbs) if self.hotplug else 0
        for start, pages in self.memory.take_at(0, first_mib + extra):
            self.keep(start, pages, PageKind.RESERVED, "first MiB: firmware and real-mode code")
        for start, pages in self._image_parts():
            pieces = self.memory.take_at(start, pages)
            if pieces != [(start, pages)]:
                raise ParameterError(
                    "nodes",
                    f"no memory at pfn {start}",
                    f"the kernel's image needs {pages} pages there",
                )
            self.keep(start, pages, PageKind.KERNEL_IMAGE, "the kernel's image")
        limit = self.lowmem_end if self.spec.arch is Arch.PAE else self.four_gib
        pages = self.scaled(fp.initrd)
        self.initrd = (self._low(pages, "initial ramdisk", limit), pages)

    def _image_parts(self) -> list[tuple[int, int]]:
        fp = self.footprint
        self.image_pfn = self.scaled(fp.image[0][0])
        if self.spec.scale == 1:
            return list(fp.image)
        return [(self.image_pfn, self.scaled(fp.image_pages))]

    def _low(self, pages: int, why: str, limit: int) -> int:
        """Take pages below `limit`, hot-pluggable nodes included if nothing else is there."""
        start = self.memory.try_allocate(pages, limit=limit)
        if start is None:
            return self.memory.allocate(pages, why)
        return start

    def take_nodes(self) -> None:
        """Take node data, memory map, per-CPU areas and hash tables of x86-64.

        numa_init, sparse_init_nid, setup_per_cpu_areas and vfs_caches_init_early (6.1).
        """
        fp = self.footprint
        nodes = sorted(self.spec.nodes, key=lambda n: n.nid)
        for node in nodes:
            self.take(self.scaled(fp.node_data), PageKind.RESERVED, "node data", nid=node.nid)
        self.take(self.scaled(fp.crumbs), PageKind.RESERVED, "small boot allocations")
        crumbs = self.scaled(fp.first_node_crumbs[2 if self.hotplug else len(nodes) > 1])
        self.take(crumbs, PageKind.RESERVED, "small boot allocations", nid=nodes[0].nid)
        counted: set[int] = set()
        for node in nodes:
            sections = {
                s
                for r in node.ranges
                for s in range(
                    r.start_pfn // self.spec.section_pages,
                    -(-r.end_pfn // self.spec.section_pages),
                )
            } - counted
            counted |= sections
            self._take_map(node.nid, len(sections))
        self._take_percpu()
        if len(nodes) == 1:
            pages = hash_table_pages(self.spec.present_pages, fp.hash_entry)
            self.take(pages, PageKind.RESERVED, "dentry and inode hash tables")

    def _take_map(self, nid: int, sections: int) -> None:
        """Take the struct pages of a node: in one piece if it fits, or by section."""
        one = self.spec.section_pages * self.profile.struct_page_bytes // PAGE_SIZE
        why = f"struct pages of node {nid}"
        whole = self.memory.try_allocate(sections * one, nid=nid, align=one)
        if whole is not None:
            self.keep(whole, sections * one, PageKind.MEMMAP, why)
            return
        for _ in range(sections):
            self.take(one, PageKind.MEMMAP, why, nid=nid, align=one)

    def _take_percpu(self) -> None:
        """Take each CPU's area: an aligned unit of which the unused tail is given back."""
        fp = self.footprint
        kept, unit = self.scaled(fp.percpu), self.scaled(fp.percpu_unit)
        nids = sorted(n.nid for n in self.spec.nodes)
        for cpu in range(self.spec.cpus):
            nid, why = nids[cpu % len(nids)], f"per-CPU area of CPU {cpu}"
            start = self.memory.allocate(unit, why, nid=nid, align=unit)
            owner = self.memory.node_of(start, self.spec)
            self.memory.give_back(owner, start + kept, unit - kept)
            self.keep(start, kept, PageKind.RESERVED, why)

    def take_bounce_buffers(self) -> None:
        """Take swiotlb if memory, or the window for hot-added memory, passes 4 GiB."""
        if max(self.spec.end_pfn, self.spec.hotplug_end_pfn) <= self.four_gib:
            return
        fp = self.footprint
        pages = self.scaled(fp.swiotlb)
        start = self._low(pages, "bounce buffers", self.four_gib)
        self.keep(start, pages, PageKind.RESERVED, "bounce buffers (swiotlb)")
        self.take(self.scaled(fp.swiotlb_slots), PageKind.RESERVED, "table of the bounce buffers")

    def take_pae_lowmem(self) -> None:
        """Take what 32-bit boot takes, all of it from lowmem.

        The flat map describes every page from pfn 0 to the end of memory, holes too.
        """
        fp = self.footprint
        end = -(-self.spec.end_pfn // 1024) * 1024
        mapped = min(end, PAE_END_PFN)
        self._take_lowmem(self.scaled(fp.node_data), PageKind.RESERVED, "node data")
        pages = -(-mapped * self.profile.struct_page_bytes // PAGE_SIZE)
        self._take_lowmem(pages, PageKind.MEMMAP, "struct pages of pfn 0 to the end of memory")
        for cpu in range(self.spec.cpus):
            self._take_lowmem(
                self.scaled(fp.percpu), PageKind.RESERVED, f"per-CPU area of CPU {cpu}"
            )
        tables = hash_table_pages(self._lowmem_pages(), fp.hash_entry)
        self._take_lowmem(tables, PageKind.RESERVED, "dentry and inode hash tables")
        if self.spec.end_pfn > self.four_gib:
            self._take_lowmem(
                self.scaled(fp.swiotlb), PageKind.RESERVED, "bounce buffers (swiotlb)"
            )
            slots = self.scaled(fp.swiotlb_slots) + mapped // 1024 // PAGE_SIZE
            self._take_lowmem(slots, PageKind.RESERVED, "table of the bounce buffers")

    def _take_lowmem(self, pages: int, kind: PageKind, why: str) -> None:
        self.take(pages, kind, why, limit=self.lowmem_end)

    def _lowmem_pages(self) -> int:
        return sum(
            max(0, min(r.end_pfn, self.lowmem_end) - r.start_pfn)
            for n in self.spec.nodes
            for r in n.ranges
        )

    def finish(self) -> BootLayout:
        """Free what is freed after boot, and add what the running system uses."""
        freed: dict[tuple[int, ZoneType], int] = {}
        image = (self.image_pfn, 1, self.scaled(self.footprint.image_freed))
        initrd = (*self.initrd, self.initrd[1])
        for start, length, pages in (image, initrd):
            for zone in self.plan.zones:
                inside = min(zone.end_pfn, start + length) - max(zone.start_pfn, start)
                if inside > 0:
                    key = (zone.nid, zone.zone)
                    share = pages * inside // length
                    freed[key] = freed.get(key, 0) + share
        layout = BootLayout(
            reserved=tuple(sorted(self.reserved, key=lambda r: r.start_pfn)),
            used=booted_use(self.spec, self.profile, self.hotplug),
            freed_after_init=MappingProxyType(freed),
        )
        self._check_room(layout)
        return layout

    def _check_room(self, layout: BootLayout) -> None:
        """Refuse what a real kernel would not survive: less kernel memory than it needs."""
        # What init memory frees comes too late: the kernel must come up without it.
        initial = layout.initial_pages(self.plan)
        room = sum(p for (_, zone), p in initial.items() if zone <= ZoneType.NORMAL)
        needed = sum(u.pages for u in layout.used if u.gfp in ("KERNEL", "DMA"))
        if room <= needed:
            raise ParameterError(
                "nodes",
                f"{room} pages of kernel zones after the boot memory",
                f"the machine does not boot; the started kernel needs more than {needed}",
            )
