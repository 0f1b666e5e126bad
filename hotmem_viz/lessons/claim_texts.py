"""The claims of the mail, S1 to S47: what each says, in our own words, and how it stands today.

The mail: Mel Gorman to linux-mm, 29 November 2012, Message-ID 20121129110045.GX8218@suse.de. It
quotes Tony Luck and H. Peter Anvin on boot options (S1 to S7).
"""

from __future__ import annotations

CLAIM_TEXTS: dict[str, tuple[str, str]] = {
    "S1": (
        "A new boot option may name ranges of addresses to be used as movable memory.",
        "Merged for 3.9-rc1, reverted before 3.9; sizes, percents, mirror and movable_node exist.",
    ),
    "S2": (
        "That leaves it to the user to know how memory lines up with node borders.",
        "The kernel spreads sizes over nodes; movable_node takes the borders from firmware.",
    ),
    "S3": (
        "Each node needs memory that is not movable, for kernel data of its own.",
        "Still true: kernelcore= spreads over the nodes, movable_node gives it up on purpose.",
    ),
    "S4": (
        "The user has to read the SRAT, and perhaps more.",
        "The kernel reads it by itself, and marks what it calls hot-pluggable.",
    ),
    "S5": (
        "What was right on the first day is wrong a month later, when nodes came, went or broke.",
        "Percents and movable_node follow the machine; sizes do so in part.",
    ),
    "S6": (
        "Fit for debugging, ridiculous as a solution in the field (H. Peter Anvin).",
        "It went as he said: the option was reverted.",
    ),
    "S7": (
        "Configuring ZONE_MOVABLE by address at boot will be trouble.",
        "No kernel has such an option.",
    ),
    "S8": (
        "Better: boot one node, add the rest later, and put it in ZONE_MOVABLE by the state files.",
        "online_movable and online_kernel since 3.8, of any block since 4.13.",
    ),
    "S9": (
        "Still clumsy, but better than addresses.",
        "udev rules, memhp_default_state= or the auto-movable policy do the writing.",
    ),
    "S10": (
        "ZONE_MOVABLE itself is a problem that will hurt later.",
        "The documentation calls 3:1 or 4:1 usually fine, and 63:1 definitely not.",
    ),
    "S11": (
        "With much of memory in ZONE_MOVABLE, the troubles of lowmem and highmem come back.",
        "Reserves and marks are the same code still; x86 lost PAE with high memory in 6.15.",
    ),
    "S12": (
        "Metadata-heavy loads cannot use all of memory: the kernel is confined to a part of it.",
        "Unchanged.",
    ),
    "S13": (
        "Page tables are confined as well, so a process may be unable to map much of memory.",
        "Unchanged; one dense mapping meets it near 56:1 only, sharing and sparse touching sooner.",
    ),
    "S14": (
        "It works up to a point, and it is a hack.",
        "Exceptions are listed in mmzone.h; a policy can bound the ratio.",
    ),
    "S15": (
        "When the zone came it was meant for huge pages, not for normal use.",
        "Since 4.16 a huge page lies there only if it can migrate.",
    ),
    "S16": ("Slab pages cannot be moved.", "True; patches that move objects were not merged."),
    "S17": ("Page-table pages cannot be moved.", "True; the patches of 2007-08 were not merged."),
    "S18": (
        "Buffers that devices allocated cannot be moved.",
        "True; user pages are first moved out of the zone before a long pin (5.13).",
    ),
    "S19": (
        "Other systems, he has heard, make drivers let go by callbacks; perhaps not for Linux.",
        "In part: shrinkers, movable_operations, memory notifiers.",
    ),
    "S20": (
        "Who wants to remove memory has to find a way round what cannot move.",
        "Zones and policies bound the problem; they do not solve it.",
    ),
    "S21": (
        "The first obstacle is the memory model: how virtual becomes physical.",
        "vmemmap on all 64-bit machines, one offset for the direct map.",
    ),
    "S22": (
        "The kernel's one-to-one map is there for speed, it is no law.",
        "Still one to one on x86-64.",
    ),
    "S23": ("Some sections could have a fast mapping and others a slow one.", "Not done."),
    "S24": (
        "On removal, first try to empty all sections.",
        "So it is done, by memory blocks of 1 to 16 sections.",
    ),
    "S25": (
        "A section that kernel pages keep from being empty is marked as offline but migrated.",
        "There is no such state.",
    ),
    "S26": (
        "Then stop the machine, really.",
        "stop_machine is there; memory hotplug did without it for zonelists from 4.14.",
    ),
    "S27": ("Copy the pages that cannot move to another place.", "Not done."),
    "S28": (
        "Change the kernel's map so that the old virtual addresses reach the new frames.",
        "The direct map is edited for permissions, never to reach another frame.",
    ),
    "S29": ("And let the machine go on.", "As stop_machine ends."),
    "S30": (
        "Lookups become much slower: the section has to be looked up every time.",
        "What classic SPARSEMEM paid; nobody measured it for this.",
    ),
    "S31": (
        "It breaks SPARSE_VMEMMAP, in effect.",
        "vmemmap is the only model on 64-bit since 6.18: the break would be complete.",
    ),
    "S32": ("A penalty on speed, but it should work.", "Never built, never measured."),
    "S33": (
        "It covers some slab pages, reached by virtual address alone: inode caches, dcache.",
        "A caveat: any slab object may be handed to a device.",
    ),
    "S34": ("It does not work where the physical address is used.", "Still so."),
    "S35": (
        "Page tables: while stopped, walk all processes' tables and rewrite what points there.",
        "Not done.",
    ),
    "S36": (
        "Moving page tables has been done; it taxed everyone all the time and was unpopular.",
        "Not merged. Ross Biro's of 2007-08, most likely: 3 %, then 1.6 % of a fault benchmark.",
    ),
    "S37": ("A heavy hand at removal only may be easier to accept.", "Nobody tried."),
    "S38": (
        "For pages that devices hold there is little choice.",
        "Offlining tries for ever, or answers EBUSY.",
    ),
    "S39": (
        "Such allocations may have to be kept, where possible, in memory that is never removed.",
        "Long pins are moved out of ZONE_MOVABLE, which is the reverse.",
    ),
    "S40": ("The plan is neither proven nor designed.", "Still so."),
    "S41": ("It would reach into very much of the kernel.", "Still so."),
    "S42": ("A massive effort, hard to get right.", "Nobody made it."),
    "S43": (
        "Configuration becomes easy: a percentage for what devices may hold for ever.",
        "kernelcore=N% (4.17) looks alike but reserves for all kernel memory.",
    ),
    "S44": ("And no crazy troubles as with lowmem and highmem.", "Not done."),
    "S45": ("ZONE_MOVABLE does let a node be removed very quickly.", "Best effort, no guarantee."),
    "S46": (
        "But it paints you into a corner.",
        "The ratio changes only by taking memory offline and bringing it back.",
    ),
    "S47": ("There should be a plan for its replacement.", "None had landed by 2026."),
}
"""(claim, today) by id."""
