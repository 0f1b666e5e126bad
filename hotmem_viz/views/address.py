"""The page's address in the browser: a widget without a face that says what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget

from hotmem_viz.views.bundle import join_modules

if TYPE_CHECKING:
    from collections.abc import Callable


class AddressReader(anywidget.AnyWidget):
    """Tells the fragment of the page's address when the page opens, and whenever it changes.

    A kernel may have run before the page was asked for, so it has to be told. Says nothing where
    the address is not ours, as in JupyterLab.
    """

    _esm = join_modules(("address.js",), "readAddress")

    def __init__(self, on_read: Callable[[str], None], **traits: Any) -> None:
        super().__init__(**traits)
        self._on_read = on_read
        self.on_msg(self._hear)

    def _hear(self, _widget: object, content: object, _buffers: object) -> None:
        if isinstance(content, dict) and content.get("type") == "address":
            self._on_read(str(content.get("text", "")))
