"""The machine as bought and as booted, before anything happens: no arrays here.

spec           nodes, pfn ranges, architecture, scale
presets        machines by name
boot_options   kernelcore=, movablecore=, movable_node; vmalloc= and userpte= of 32-bit
profiles       what depends on the kernel's version (footprint, object_costs)
page_geometry  levels of page tables, and how many a range needs
lowmem         where 32-bit lowmem ends
zone_plan      which pages lie in which zone (movable_start: where ZONE_MOVABLE begins)
boot_layout    what boot reserves, and where (memblock, booted); boot_use: what runs then uses
zone_table     the zone plan as text and JSON
"""
