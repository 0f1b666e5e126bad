"""The stage as a test sees it: its state from its attributes, its map from the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as NeverCame

from hotmem_viz.kernel.capture_show import CaptureShow
from hotmem_viz.recording.pair import Pair
from hotmem_viz.recording.recording import Recording

READ_CANVAS = """canvas => {
  const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const counts = {};
  let hash = 2166136261;
  for (let i = 0; i < data.length; i += 4) {
    const rgb = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    hash = Math.imul(hash ^ rgb, 16777619) >>> 0;
    if (data[i + 3] === 255) counts[rgb] = (counts[rgb] ?? 0) + 1;
  }
  return {hash, counts};
}"""

READY = '.hotmem-stage[data-ready="true"]'
FAILED = '[data-mime-type$=".stderr"], [data-mime-type$=".error"]'
NEXT_FRAME = """() => new Promise(done =>
  requestAnimationFrame(() => requestAnimationFrame(done)))"""


@dataclass(frozen=True)
class Picture:
    """What a canvas shows: a hash of its pixels, and how often each opaque colour occurs."""

    hash: int
    colours: dict[str, int]


class StagePage:
    """The first stage of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".hotmem-stage").first
        self.canvas = page.locator("canvas").first

    def wait_until_ready(self) -> StagePage:
        """Wait for the first paint; fail at once, with the page's words, if a cell failed."""
        try:
            self.page.wait_for_selector(f"{READY}, {FAILED}")
        except NeverCame as error:
            pytest.fail(f"{error}\nThe page says:\n{self.page.inner_text('body')[:2000]}")
        if self.page.query_selector(FAILED):
            pytest.fail(f"a cell failed:\n{self.page.inner_text('body')[:2000]}")
        self.page.wait_for_selector("#hotmem-start", state="detached")
        return self

    def data(self, name: str) -> str:
        """Return the stage's attribute `data-name`."""
        return self.root.get_attribute(f"data-{name}") or ""

    @property
    def tick(self) -> int:
        """The tick shown."""
        return int(self.data("tick"))

    @property
    def ticks(self) -> int:
        """How many ticks there are."""
        return int(self.data("ticks"))

    @property
    def is_playing(self) -> bool:
        """Whether it plays."""
        return self.data("playing") == "true"

    def wait_for_tick(self, condition: str) -> None:
        """Wait until a JavaScript condition on `tick` and `ticks` holds, e.g. `tick >= 5`."""
        self.page.wait_for_function(
            f"""() => {{
              const {{tick: t, ticks: n}} = document.querySelector('.hotmem-stage').dataset;
              const tick = Number(t), ticks = Number(n);
              return {condition};
            }}"""
        )

    def wait_for(self, name: str, value: str) -> None:
        """Wait until the attribute `data-name` is `value`."""
        self.page.wait_for_selector(f'.hotmem-stage[data-{name}="{value}"]')

    def wait_for_attached(self, name: str, value: str) -> None:
        """Wait until the attribute `data-name` is `value`, be the stage on show or not."""
        wanted = f'.hotmem-stage[data-{name}="{value}"]'
        self.page.wait_for_function(
            "([root, wanted]) => root.matches(wanted)", arg=[self.root.element_handle(), wanted]
        )

    def seek(self, tick: int) -> None:
        """Jump to a tick, and wait until it is shown."""
        self.root.evaluate("(root, tick) => root.hotmem.seek(tick)", tick)
        self.wait_for("tick", str(tick))

    def press(self, key: str) -> None:
        """Press a key where the focus is."""
        self.page.keyboard.press(key)

    def focus(self) -> None:
        """Click the map, as a person would."""
        self.canvas.click(position={"x": 5, "y": 5})
        assert self.root.evaluate("root => root.contains(document.activeElement)")

    def wait_for_other_picture(self, picture: Picture) -> None:
        """Wait until the map shows something else than `picture`."""
        self.page.wait_for_function(
            f"old => ({READ_CANVAS})(document.querySelector('canvas')).hash !== old",
            arg=picture.hash,
        )

    def picture(self) -> Picture:
        """Return what the map shows now, once a frame has been painted."""
        self.page.evaluate(NEXT_FRAME)
        read = self.canvas.evaluate(READ_CANVAS)
        colours = {f"#{int(rgb):06x}": count for rgb, count in read["counts"].items()}
        return Picture(hash=int(read["hash"]), colours=colours)


def open_exported(page: Page, shown: Recording | Pair | CaptureShow, folder: Path) -> StagePage:
    """Export what has a page of its own, and open that from disk."""
    path = folder / "lesson.html"
    shown.to_html(path)
    page.goto(path.as_uri())
    return StagePage(page).wait_until_ready()


def open_offline(page: Page, shown: Recording | Pair | CaptureShow, folder: Path) -> StagePage:
    """Open an exported page with the network off; it must be small enough to be sent."""
    page.context.set_offline(True)
    stage = open_exported(page, shown, folder)
    assert (folder / "lesson.html").stat().st_size < 2_000_000
    return stage


def is_visible_2d_canvas(page: Page) -> bool:
    """Whether the page's first canvas is the stage's map: no frame, no shadow root, on show."""
    return bool(
        page.evaluate(
            """() => {
              const canvas = document.querySelector('canvas');
              const box = canvas.getBoundingClientRect();
              return canvas.closest('.hotmem-stage') !== null && box.width > 100
                && box.height > 100 && canvas.getContext('2d') !== null;
            }"""
        )
    )
