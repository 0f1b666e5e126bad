"""Pictures and stage show one map: node lays the same machines out by the stage's own modules."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hotmem_viz.views.bundle import STATIC
from hotmem_viz.views.palette import KINDS, THEMES, Theme, colour, kind_table, movability_table
from hotmem_viz.views.picture.groups import group_sections
from hotmem_viz.views.picture.hatches import hatch_colour, hatch_tile
from hotmem_viz.views.picture.inks import rgb_of
from hotmem_viz.views.picture.layout import Box, lay_out_map, part_edges
from tests.js.test_js import node_command
from tests.views.moving import in_two_boots, make_moving
from tests.views.synthetic import CLASSROOM, OVERVIEW, TINY, Size, make_recording

SIZES = {
    "tiny": TINY,
    "classroom": Size(**{**CLASSROOM.__dict__, "ticks": 3, "keys": 1}),
    "overview": Size(**{**OVERVIEW.__dict__, "ticks": 3, "keys": 1}),
}
BOXES = ((1262, 430), (900, 700), (640, 300), (320, 60))

LAYOUTS = """
import { readFileSync } from "node:fs";
import { layoutMap } from "%s/geometry.js";
const { metas, boxes } = JSON.parse(readFileSync(0, "utf8"));
const labelWidth = (label) => label.length * 8.5;
console.log(JSON.stringify(metas.map((meta) => boxes.map(([width, height]) => {
  const layout = layoutMap({ meta, width, height, text: 15, labelWidth });
  if (!layout) return null;
  const { columns, rows, blockWidth, blockHeight, numbered, grid, fits } = layout;
  const { blocks, holes, labels } = layout;
  const corner = ({ x, y }) => [x, y];
  return {
    columns, rows, blockWidth, blockHeight, numbered, grid, fits, height: layout.height,
    blocks: blocks.map(corner), holes: holes.map(corner),
    labels: labels.map((label) => [label.group.label, label.x, label.y]),
    xEdges: [...layout.xEdges], yEdges: [...layout.yEdges],
  };
}))));
"""

TILES = """
import { readFileSync } from "node:fs";
import { makePaint } from "%s/painter.js";
const { kinds, movabilities, themes } = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(themes.map(([theme, paper]) => {
  const look = { theme, mode: "kind", highlight: null, paper, dpr: 1 };
  const { lut, tiles } = makePaint({ kinds, movabilities }, look);
  return { lut: [...lut], tiles: [...tiles] };
})));
"""


def ask_node(script: str, given: object, folder: Path) -> list[Any]:
    program = folder / "ask.mjs"
    program.write_text(script % STATIC.as_uri(), encoding="utf-8")
    done = subprocess.run(
        [node_command(), str(program)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: list[Any] = json.loads(done.stdout)
    return answer


def layout_in_python(meta: dict[str, Any], width: int, height: int) -> dict[str, Any] | None:
    box = Box(width, height, 15, lambda label: len(label) * 8.5)
    layout = lay_out_map(meta, meta["cells_per_section"], box)
    if layout is None:
        return None
    shape = layout.shape
    taken = [set(group.slot.tolist()) for group in layout.groups]
    holes = [
        layout.corner(g, slot)
        for g, group in enumerate(layout.groups)
        for slot in range(group.slots)
        if slot not in taken[g]
    ]
    return {
        "columns": shape.columns,
        "rows": shape.rows,
        "blockWidth": shape.block_width,
        "blockHeight": shape.block_height,
        "numbered": shape.numbered,
        "grid": layout.grid,
        "fits": shape.fits,
        "height": shape.height,
        "blocks": [list(spot) for spot in zip(layout.x.tolist(), layout.y.tolist(), strict=True)],
        "holes": [list(spot) for spot in holes],
        "labels": [[g.label, *layout.corner(i, 0)] for i, g in enumerate(layout.groups)],
        "xEdges": part_edges(shape.columns, shape.block_width).tolist(),
        "yEdges": part_edges(shape.rows, shape.block_height).tolist(),
    }


def test_the_map_stands_as_on_the_stage(tmp_path: Path):
    metas = [make_recording(size).meta for size in SIZES.values()]
    twice = in_two_boots(make_moving()).meta
    nodes = [{**zone, "nid": zone["id"]} for zone in twice["zones"]]
    metas += [twice, {**twice, "zones": nodes}]
    wanted = ask_node(LAYOUTS, {"metas": metas, "boxes": BOXES}, tmp_path)
    assert len({json.dumps(layout) for layouts in wanted for layout in layouts}) > len(BOXES)
    for name, meta, layouts in zip(
        [*SIZES, "two boots", "and more nodes"], metas, wanted, strict=True
    ):
        for box, layout in zip(BOXES, layouts, strict=True):
            assert layout_in_python(meta, *box) == layout, f"{name} in {box}"


def test_hatches_and_their_colours_are_those_of_the_stage(tmp_path: Path):
    themes = [(theme, rgb_of(colour("panel", theme))) for theme in THEMES]
    given = {"kinds": kind_table(), "movabilities": movability_table(), "themes": themes}
    for theme, paint in zip(THEMES, ask_node(TILES, given, tmp_path), strict=True):
        tiles = np.array(paint["tiles"]).reshape(-1, 8, 8)
        for kind, style in KINDS.items():
            np.testing.assert_array_equal(hatch_tile(style.hatch), tiles[kind], err_msg=kind.name)
            rgb = rgb_of(getattr(style, theme))
            assert [rgb, hatch_colour(rgb)] == [unpacked(v) for v in paint["lut"][kind * 4 :][:2]]


def unpacked(pixel: int) -> tuple[int, int, int]:
    return pixel & 255, pixel >> 8 & 255, pixel >> 16 & 255


@pytest.mark.parametrize("theme", THEMES)
def test_no_two_kinds_have_one_colour_and_one_hatch(theme: Theme):
    looks = {(getattr(style, theme), style.hatch) for style in KINDS.values()}
    assert len(looks) == len(KINDS)


def test_groups_name_their_zones_in_the_order_of_the_pages():
    labels = [group.label for group in group_sections(make_recording(TINY).meta)]
    assert labels == ["node 0 · DMA + DMA32", "node 1 · Normal", "node 1 · Movable"]
