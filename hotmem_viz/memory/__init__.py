"""What is there: the arrays of physical memory, and questions about them.

fields      every array, declared once
frames      sets of page frames as packed words
zones       the zone table and the extents (parts of sections that lie in one zone)
physical    PhysicalMemory: the arrays of one machine
added       memory that came after boot, and what was paid for it
build       a booted machine from a spec
address_spaces, growing  mappings and page tables of processes, sparse
census      counting, by kind, zone and section
address_map the kernel's own virtual-to-physical map, section by section
invariants, table_invariants, map_invariants  what must hold at any moment
"""
