"""What can happen: the only code that writes the arrays of a booted machine.

watermarks  lowmem_reserve, min_free_kbytes, min/low/high and the test against them
requests    which request may use which zone (GFP flags)
zonelists   in which order zones are tried
buddy       blocks of free frames: orders, taking, giving back, fallback and claiming
allocator   alloc_pages and free_pages
reclaim     kswapd, direct reclaim, what can be reclaimed
oom         the verdict, MemAvailable, memory that is free but of no use
outcome     what every mechanism answers
"""
