"""All scenarios as one widget: a tab each, made when it is first opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from hotmem_viz.apps.lesson import make_lesson
from hotmem_viz.apps.page import ErrorPanel
from hotmem_viz.catalog import list_lessons

if TYPE_CHECKING:
    from hotmem_viz.apps.exhaustion import ExhaustionApp
    from hotmem_viz.apps.scenario import ScenarioApp

WAITING = '<div class="hotmem-waiting" role="status">The model machine boots …</div>'


class Dashboard(widgets.Tab):
    """A tab a scenario. The first is made at once, the others when they are first opened.

    What goes wrong in one tab is shown there and nowhere else. A theme that is chosen on one
    stage is chosen for all.
    """

    def __init__(self) -> None:
        titles = list_lessons()
        self.names = tuple(titles)
        self.lessons: dict[str, ExhaustionApp | ScenarioApp] = {}
        self.theme = "auto"
        # A tab keeps its place: with other children, the browser would make all views anew.
        places = [widgets.VBox([widgets.HTML(WAITING)]) for _ in titles]
        super().__init__(places, titles=tuple(titles.values()), selected_index=0)
        self.add_class("hotmem-dashboard")
        self.open_lesson(self.names[0])
        self.observe(self._on_choice, names="selected_index")

    def open_lesson(self, name: str) -> None:
        """Make a scenario's lesson unless it has been made."""
        if name in self.lessons:
            return
        place = self.children[self.names.index(name)]
        try:
            lesson = self.lessons[name] = make_lesson(name)
        except Exception as error:  # noqa: BLE001 (whatever it is belongs on this tab)
            panel = ErrorPanel()
            panel.show(error)
            place.children = (panel,)
        else:
            lesson.stage.theme = self.theme
            lesson.stage.observe(self._on_theme, names="theme")
            place.children = (lesson,)

    def _on_choice(self, change: Any) -> None:
        if change.new is not None:
            self.open_lesson(self.names[change.new])

    def _on_theme(self, change: Any) -> None:
        self.theme = change.new
        for lesson in self.lessons.values():
            lesson.stage.theme = change.new
