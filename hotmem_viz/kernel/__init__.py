"""What real kernels print: parsers, and captures of whole boots.

archive   bounded reading of .tar.xz archives, never to disk
captures  a capture as a bundle of texts, and the machine that it was taken on
console   the boot log: node ranges, zone borders, what was freed, OOM reports
srat      the ACPI table that marks memory as hot-pluggable
zoneinfo  /proc/zoneinfo
procfs    /proc/slabinfo, /proc/meminfo
blocks    the memory blocks of sysfs
page_flags     /proc/kpageflags, in runs of pages that are alike
page_words     what a capture's reader found in page structs: zones, nodes, free blocks
page_kinds     the model's word for what a page holds, from its flags
pageblocks     migrate types of pageblocks
captured_pages the four before, of a capture's stage
samples   the time series of a load
compare   the model against captures: rows, their groups (compare_*), a load's run (load_run)
capture_recording  a capture as a recording: its moments, zones (capture_zones), cells
          (capture_map, capture_details), counters, and events in words (capture_telling, _oom,
          _stages, _tries)
host      the machine at hand: its files (host_files, host_pages), tables and text
zone_room what a kernel request can have of a zone
lines     what the text parsers share
"""
