"""The parts of the kernel that the proposal would reach into, and which events touch which (S41).

The list is that of KERNEL.md 5.2 and 5.5: who takes part in a step, and who knows physical
addresses and was not asked. A part is reached when one of its events has happened, or an event that
names one of its functions; those without either are in no step of the model, for the mail has none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hotmem_viz.vocabulary import EventKind


class Subsystem(NamedTuple):
    """A part of the kernel: what of it is touched, by which events and functions, and questions."""

    name: str
    what: str
    events: tuple[EventKind, ...] = ()
    functions: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()


SUBSYSTEMS = (
    Subsystem("page isolation", "kernel pages may not veto", (EventKind.ISOLATED,)),
    Subsystem("page migration", "empties what it can", (EventKind.MIGRATED,)),
    Subsystem("slab, stacks, tables", "who is only virtual?", (EventKind.RESIDUE,), (), ("Q13",)),
    Subsystem("page allocator", "room for what stays", (EventKind.RESERVED,), (), ("Q1", "Q4")),
    Subsystem("stop_machine", "all CPUs stand still", (EventKind.STOPPED,), (), ("Q8", "Q12")),
    Subsystem("struct page", "pfn_to_page and vmemmap", (EventKind.TABLE_WRITTEN,), (), ("Q3",)),
    Subsystem("kernel mapping", "the direct map", (EventKind.TABLE_WRITTEN,), (), ("Q2", "Q5")),
    Subsystem("page tables", "all processes', walked", (EventKind.TABLES_WALKED,), (), ("Q10",)),
    Subsystem("TLB, CR3", "flushed on every CPU", (EventKind.RESUMED,), (), ("Q12",)),
    Subsystem(
        "memory blocks", "sysfs shows one more state", (EventKind.OFFLINE_MIGRATED,), (), ("Q6",)
    ),
    Subsystem("every lookup", "virt_to_phys asks first", (EventKind.LOOKUP,), (), ("Q11",)),
    Subsystem(
        "DMA mapping",
        "devices keep frames",
        (EventKind.CORRUPTED,),
        ("dma_alloc_coherent", "dma_map_single"),
        ("Q9", "Q15"),
    ),
    Subsystem("IOMMU, SVA", "devices walk tables while all stand", (), (), ("Q9", "Q10")),
    Subsystem("KVM", "second-level tables", (), (), ("Q10",)),
    Subsystem("kexec, hibernation", "take memory for linear", (), (), ("Q10",)),
    Subsystem("memory failure", "a frame, whose page?", (), (), ("Q10",)),
)


def describe_subsystems() -> list[dict[str, Any]]:
    """Return the list for a recording's meta: kinds of events by name."""
    return [{**s._asdict(), "events": [kind.name for kind in s.events]} for s in SUBSYSTEMS]
