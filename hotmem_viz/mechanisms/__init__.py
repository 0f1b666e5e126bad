"""What can happen: the only code that writes the arrays of a booted machine.

watermarks  lowmem_reserve, min_free_kbytes, min/low/high and the test against them
requests    which request may use which zone (GFP flags)
zonelists   in which order zones are tried
orders      buddy orders, read off packed words
buddy       blocks of free frames: counting, taking, giving back
fallback    borrowing or claiming another type's pageblock
boot        watermarks and what the started system holds
allocator   alloc_pages and free_pages
slab        pages for objects of a slab cache
add_memory  memory plugged in, onlined, pulled out; online_zone: which zone it comes into
hotplug     sections that leave their zone, or come into one
spans       what a zone spans when they do
address_spaces, unmapping  processes start, map, unmap and exit
page_tables looking tables up, building and removing them
touches     which pages a program touches
touching, huge_touching  touching memory: tables, then pages
faults      what becomes of a touch: OOM kill, or ENOMEM
table_walk  who points at a page table
reclaim     kswapd, direct reclaim, what can be reclaimed
isolation   pageblocks taken out of use, and which page vetoes it
pins        references that keep a page where it is
migrate     moving pages to other frames
hugetlb     the pool of huge pages
offline     taking memory blocks offline, and why it is refused or never ends
residue     what a section keeps when all that can migrate has left
reverse_map mappings follow the pages that migrate
remap, remap_targets, remap_after  the mail's proposal: reserve, stop, copy, re-point; what follows
device_region  sections for devices' pages alone, as the mail would have it
stop_machine what the pause costs, and what each CPU does in it
costs       what moving memory takes, published figures
oom         the verdict, MemAvailable, memory that is free but of no use
outcome     what every mechanism answers
"""
