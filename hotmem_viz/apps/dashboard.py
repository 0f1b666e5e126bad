"""All scenarios as one widget: a tab each, made when it is first opened, or as a link says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps.lesson import make_lesson, restore_lesson
from hotmem_viz.apps.page import ErrorPanel
from hotmem_viz.catalog import list_lessons
from hotmem_viz.views.address import AddressReader

if TYPE_CHECKING:
    from hotmem_viz.apps.exhaustion import ExhaustionApp
    from hotmem_viz.apps.scenario import ScenarioApp

WAITING = '<div class="hotmem-waiting" role="status">The model machine boots …</div>'


class Dashboard(widgets.VBox):
    """A tab a scenario. The first is made at once, the others when they are first opened.

    What goes wrong in one tab is shown there and nowhere else. A theme that is chosen on one
    stage is chosen for all. Where the page's address is ours, a link in it opens its scenario, and
    the address says the state on show from the first change on: a link that could not be read
    stays there until then.
    """

    def __init__(self) -> None:
        titles = list_lessons()
        self.names = tuple(titles)
        self.lessons: dict[str, ExhaustionApp | ScenarioApp] = {}
        self.theme = "auto"
        self.address = "none"
        self.reader = AddressReader(self.open_link)
        # A tab keeps its place: with other children, the browser would make all views anew.
        places = [widgets.VBox([widgets.HTML(WAITING)]) for _ in titles]
        self.tabs = widgets.Tab(places, titles=tuple(titles.values()), selected_index=0)
        self.tabs.add_class("hotmem-tabs")
        super().__init__([self.reader, self.tabs])
        self.add_class("hotmem-dashboard")
        self.open_lesson(self.names[0])
        self.tabs.observe(self._on_choice, names="selected_index")

    def open_lesson(self, name: str) -> None:
        """Make a scenario's lesson unless it has been made."""
        if name in self.lessons:
            return
        try:
            self._place(name, make_lesson(name))
        except Exception as error:  # noqa: BLE001 (whatever it is belongs on this tab)
            panel = ErrorPanel()
            panel.show(error)
            self.tabs.children[self.names.index(name)].children = (panel,)

    def open_link(self, link: str) -> None:
        """Show what the page's address says, which may be nothing; runs once."""
        self._claim("wait")
        if not link.strip().strip("#"):
            return
        name, lesson = restore_lesson(link)
        self._share_theme(lesson.stage.theme)
        self._place(name, lesson)
        self.tabs.selected_index = self.names.index(name)
        self._claim("wait" if lesson.errors.error else "write")

    def _place(self, name: str, lesson: ExhaustionApp | ScenarioApp) -> None:
        before = self.lessons.get(name)
        self.lessons[name] = lesson
        lesson.stage.theme = self.theme
        lesson.stage.address = self.address
        lesson.stage.observe(self._on_theme, names="theme")
        lesson.stage.observe(self._on_move, names=("tick", "recording"))
        self.tabs.children[self.names.index(name)].children = (lesson,)
        if before is not None:
            before.stage.unobserve_all()
            before.stage.close()
            before.close()

    def _claim(self, address: str) -> None:
        """Say to all stages what the page's address is to them."""
        self.address = address
        for lesson in self.lessons.values():
            lesson.stage.address = address

    def _on_move(self, _change: Any) -> None:
        if self.address == "wait":
            self._claim("write")

    def _share_theme(self, theme: str) -> None:
        self.theme = theme
        for lesson in self.lessons.values():
            lesson.stage.theme = theme

    def _on_theme(self, change: Any) -> None:
        self._share_theme(change.new)
        self._on_move(change)

    def _on_choice(self, change: Any) -> None:
        if change.new is not None:
            self.open_lesson(self.names[change.new])
            self._on_move(change)
