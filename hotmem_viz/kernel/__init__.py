"""What real kernels print: parsers, and captures of whole boots.

archive          bounded reading of .tar.xz archives, never to disk
capture_files    the files of a capture by name
captures         a capture read on demand, and the machine that it was taken on
console          the boot log: node ranges, zone borders, what was freed, OOM reports
srat             the ACPI table that marks memory as hot-pluggable
zoneinfo         /proc/zoneinfo
buddyinfo        /proc/buddyinfo
pagetypeinfo     /proc/pagetypeinfo
procfs           /proc/slabinfo, /proc/meminfo, /proc/vmstat
iomem            /proc/iomem
blocks           the memory blocks of sysfs
hotplug_answers  what came of setting blocks offline and online, and of plugging DIMMs
page_flags       /proc/kpageflags, in runs of pages that are alike
raw_flags        /proc/kpageflags as it is, a word for each page
page_words       what a capture's reader found in page structs: zones, nodes, free blocks
page_kinds       the model's word for what a page holds, from its flags
pageblocks       migrate types of pageblocks
captured_pages   the four before, of a capture's stage
samples          the time series of a load
compare          the model against captures: rows, their groups (compare_*), a load's run (load_run)
hot_events       block events of a capture, in order; hot_run and hot_growth: the same in the model
capture_recording  a capture as a recording: its moments, zones (capture_zones), cells
                 (capture_map, capture_details), counters, and events in words (capture_telling,
                 _oom, _stages, _tries)
load_recording   the model's run of a captured load as a recording (model_run, table_recording)
capture_show     both on one cursor
host             the machine at hand: its files (host_files, host_pages), tables and text
zone_room        what a kernel request can have of a zone
lines            what the text parsers share
"""
