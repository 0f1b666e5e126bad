"""How the events of single scenarios look: parts of the palette's event table.

Label, light and dark colour of each kind's mark.
"""

from __future__ import annotations

from hotmem_viz.vocabulary import EventKind

REMAP_EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.RESIDUE: ("residue", "#8a6100", "#e3b341"),
    EventKind.RESERVED: ("frames reserved", "#2f6b2f", "#7ccf7c"),
    EventKind.STOPPED: ("machine stopped", "#b3151f", "#ff6b6b"),
    EventKind.COPIED: ("pages copied", "#0f6f8f", "#56c1e0"),
    EventKind.TABLE_WRITTEN: ("map rewritten", "#7a4fb5", "#b99af0"),
    EventKind.TABLES_WALKED: ("tables walked", "#a03a8f", "#e58fd6"),
    EventKind.RESUMED: ("machine resumed", "#12786b", "#3fbfa9"),
    EventKind.OFFLINE_MIGRATED: ("offline-migrated", "#5a6b00", "#b9cc4a"),
    EventKind.LOOKUP: ("lookups", "#1f6fb5", "#6db3f2"),
    EventKind.DRAINED: ("drained", "#2f6b2f", "#7ccf7c"),
    EventKind.COPIED_HOME: ("copied home", "#12786b", "#3fbfa9"),
    EventKind.TARGET_REMOVED: ("target removed", "#5b6472", "#a5adba"),
    EventKind.REMAP_FAILED: ("remap failed", "#9f1239", "#fb7a94"),
    EventKind.BURST_OVER: ("burst over", "#57534e", "#c4bdb5"),
    EventKind.DEVICE_PAGE: ("a device's page", "#c2410c", "#ff8f52"),
    EventKind.DEVICE_REGION: ("a region for devices", "#9a3412", "#ffb38a"),
    EventKind.TAX: ("tax or stall", "#8a6100", "#e3b341"),
    EventKind.CORRUPTED: ("corrupted", "#86198f", "#e879f9"),
}
"""The mail's proposal."""

BOOT_OPTIONS_EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.BOOTED_AGAIN: ("boots again", "#44546a", "#9fb4cf"),
    EventKind.RANGE_READ: ("range read", "#6d3fb0", "#b692f2"),
    EventKind.REMOTE_KERNEL: ("kernel pages by node", "#8a5a00", "#e8b84a"),
    EventKind.SCORED: ("scored", "#0b5fa8", "#62b0f5"),
    EventKind.MACHINE_CHANGED: ("machine changed", "#b3151f", "#ff6b6b"),
    EventKind.BLOCK_ONLINED: ("block online", "#2f6b2f", "#7ccf7c"),
}
"""Boot options, and machines that change."""

HOT_REMOVE_EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.FILLED: ("filled", "#1f6fb5", "#6db3f2"),
    EventKind.PLUGGED: ("plugged in", "#12786b", "#3fbfa9"),
    EventKind.ONLINED: ("online", "#2f6b2f", "#7ccf7c"),
    EventKind.IDLED: ("kernel pages land", "#8a6100", "#e3b341"),
    EventKind.IN_THE_WAY: ("in the way", "#c2410c", "#ff8f52"),
    EventKind.ASKED_AGAIN: ("asked again", "#a03a8f", "#e58fd6"),
    EventKind.RELEASED: ("released", "#0f6f8f", "#56c1e0"),
    EventKind.CALLBACK: ("callbacks (hearsay)", "#7a4fb5", "#b99af0"),
    EventKind.UNPLUGGED: ("pulled out", "#3f4753", "#c3cad5"),
    EventKind.CORNER: ("the corner", "#b3151f", "#ff6b6b"),
}
"""Memory that is to leave."""

EXHAUSTION_EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.CACHE_STOPS: ("cache stops growing", "#12786b", "#3fbfa9"),
    EventKind.ADD_KILLS: ("added to death", "#9f1239", "#fb7a94"),
    EventKind.LOAD_FITS: ("the load fits", "#2f6b2f", "#7ccf7c"),
    EventKind.LOAD_KILLS: ("the load kills it", "#9f1239", "#fb7a94"),
    EventKind.NO_BOOT: ("does not boot", "#6d1a2a", "#ff9aa8"),
    EventKind.FRAGMENTED: ("fragmented", "#8a6100", "#e3b341"),
    EventKind.ASKED_HUGE: ("huge pages", "#1f6fb5", "#6db3f2"),
    EventKind.COMPACTED: ("compacted", "#0f6f8f", "#56c1e0"),
    EventKind.POOL_FULL: ("the pool", "#7a4fb5", "#b99af0"),
}
"""What the exhaustion scenario goes on to, and caches that can be shrunk."""

STARVATION_EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.MAPPED: ("mapped", "#1f6fb5", "#6db3f2"),
    EventKind.TABLES_SPILL: ("tables spill", "#8a6100", "#e3b341"),
    EventKind.KILLED: ("killed", "#6d1a2a", "#ff9aa8"),
    EventKind.ENOMEM: ("ENOMEM", "#9a3412", "#f59e76"),
    EventKind.STARVED: ("starved", "#7a4fb5", "#b99af0"),
}
"""Page tables that starve."""

STRATEGIES_EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.CAPACITY: ("what fits", "#0b5fa8", "#62b0f5"),
    EventKind.NODE_ADDED: ("node added", "#12786b", "#3fbfa9"),
    EventKind.LOADED: ("load is over", "#44546a", "#9fb4cf"),
    EventKind.NODE_BREAKS: ("node breaks", "#b3151f", "#ff6b6b"),
    EventKind.NODE_LEFT: ("what stays", "#8a6100", "#e3b341"),
    EventKind.COMPARED: ("the measures", "#7a4fb5", "#b99af0"),
}
"""Six strategies, one load."""

EVENTS: dict[EventKind, tuple[str, str, str]] = {
    EventKind.BOOT: ("booted", "#5b6472", "#a5adba"),
    EventKind.KSWAPD_WAKE: ("kswapd wakes", "#1f6fb5", "#6db3f2"),
    EventKind.FALLBACK: ("fallback", "#7a4fb5", "#b99af0"),
    EventKind.RECLAIM: ("reclaim", "#12786b", "#3fbfa9"),
    EventKind.REFUSED: ("refused", "#c2410c", "#ff8f52"),
    EventKind.OOM: ("out of memory", "#b3151f", "#ff6b6b"),
    EventKind.SPILL: ("spill", "#8a6100", "#e3b341"),
    EventKind.KSWAPD_GIVES_UP: ("kswapd gives up", "#9a3412", "#f59e76"),
    EventKind.MIXING: ("types mix", "#a03a8f", "#e58fd6"),
    EventKind.ISOLATED: ("isolated", "#5a6b00", "#b9cc4a"),
    EventKind.MIGRATED: ("pages move", "#0f6f8f", "#56c1e0"),
    EventKind.OFFLINED: ("offline", "#2f6b2f", "#7ccf7c"),
    EventKind.OFFLINE_REFUSED: ("offline refused", "#9f1239", "#fb7a94"),
    EventKind.NEVER_ENDS: ("never ends", "#86198f", "#e879f9"),
    EventKind.INTERRUPTED: ("given up", "#57534e", "#c4bdb5"),
    EventKind.DONE: ("done", "#3f4753", "#c3cad5"),
    EventKind.CAPTURED: ("captured", "#0f6f8f", "#58c4e4"),
    **REMAP_EVENTS,
    **BOOT_OPTIONS_EVENTS,
    **HOT_REMOVE_EVENTS,
    **STARVATION_EVENTS,
    **EXHAUSTION_EVENTS,
    **STRATEGIES_EVENTS,
}
"""Label, light and dark colour of each event kind's mark."""
