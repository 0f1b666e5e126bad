"""The runs that `tests.golden` keeps the numbers of, by scenario and name."""

from __future__ import annotations

from typing import Any

from hotmem_viz.scenarios.strategy_parameters import STRATEGIES

RUNS: dict[str, dict[str, dict[str, Any]]] = {
    "boot_options": {
        "as it comes": {},
        "swallows, added, movable_node": {
            "ranges": "swallows",
            "month": "added",
            "beside": "movable_node",
        },
        "hole, removed, percent": {"ranges": "hole", "month": "removed", "beside": "percent"},
        "renumbered, kernelcore": {"month": "renumbered", "beside": "kernelcore"},
        "same, movablecore": {"month": "same", "beside": "movablecore"},
    },
    "exhaustion": {
        "classroom": {},
        "classroom, movable=0.85, sockets, seed 3": {
            "movable": 0.85,
            "workload": "sockets",
            "seed": 3,
        },
        "pae": {"machine": "pae"},
        "mail": {"machine": "mail"},
        "64bit": {"machine": "64bit"},
        "disk, all cached": {"workload": "disk"},
        "disk, one in ten in use": {"workload": "disk", "held": 0.1, "seed": 3},
        "dimms": {"then": "dimms"},
        "dimms of 128 MiB, movable=0.85": {"then": "dimms", "dimm": 128, "movable": 0.85},
        "reboots": {"machine": "pae", "then": "reboots"},
        "huge pages": {"then": "huge_pages"},
        "huge pages, movable=0": {"then": "huge_pages", "movable": 0.0, "seed": 3},
    },
    "hot_remove": {
        "a Movable block": {},
        "Movable and a residue": {"where": "both", "obstacle": "slab", "seed": 3},
        "a pin": {"obstacle": "pin"},
        "a node": {"what": "node"},
        "a fresh DIMM": {"machine": "small", "what": "dimm"},
        "the mail's node, no room": {"machine": "mail", "what": "node", "obstacle": "no_room"},
    },
    "starvation": {
        "shared": {},
        "sparse, movable=0.8, seed 3": {"use": "sparse", "movable": 0.8, "seed": 3},
        "populate, other=0.05": {"asked": "populate", "other": 0.05},
        "pae without HIGHPTE": {"machine": "pae", "highpte": False},
    },
    "stop_machine": {
        "classroom": {},
        "a frame each, the target goes too": {"target": "page", "after": "target", "seed": 3},
        "mail, home again": {"machine": "mail", "after": "home", "cpus": 64},
        "corrupt": {"failure": "corrupt", "residue": 0.3},
        "abort": {"failure": "abort"},
        "devices spill": {"devices": 0.03},
    },
    "strategies": {
        **{name: {"strategy": name} for name in STRATEGIES.values()},
        "remap, a frame each, mail": {"strategy": "remap", "target": "page", "machine": "mail"},
        "auto by node, seed 3": {"strategy": "auto", "numa_aware": True, "seed": 3},
    },
}
