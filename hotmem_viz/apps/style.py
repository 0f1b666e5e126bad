"""How controls look: the stage's own colours and sizes, in its light and its dark."""

from __future__ import annotations

from hotmem_viz.views.palette import THEMES, colour

_RULES = """
.hotmem-app { background: var(--hotmem-app-page); border-radius: 10px; overflow: visible; }
#rendered_cells .jp-Cell-outputWrapper { margin: 0; }
.hotmem-app > .widget-html:empty { display: none; }
.hotmem-controls { gap: 4px 12px; padding: 8px 14px 0; overflow: visible; }
.hotmem-controls > .jupyter-widgets {
  width: auto; margin: 0; color: var(--hotmem-app-ink); overflow: visible;
}
.hotmem-controls .widget-label, .hotmem-controls .widget-readout {
  color: var(--hotmem-app-ink); font: 400 14px/28px system-ui, "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
.hotmem-controls .widget-label { color: var(--hotmem-app-muted); margin-right: 6px; }
.hotmem-controls .widget-checkbox label { color: var(--hotmem-app-ink); }
.hotmem-controls .widget-readout {
  min-width: 36px; width: auto; margin: 0 0 0 8px; font-weight: 600;
}
.hotmem-controls .slider-container { width: 76px; flex: none; }
.hotmem-controls select, .hotmem-controls input[type="text"],
.hotmem-controls input[type="number"] {
  height: 28px; padding: 0 8px; border: 1px solid var(--hotmem-app-line); border-radius: 7px;
  color: var(--hotmem-app-ink); background-color: var(--hotmem-app-panel);
  font: 400 14px/26px system-ui, "DejaVu Sans", sans-serif;
}
.hotmem-controls .widget-dropdown > select {
  padding-right: 24px; appearance: none; background-repeat: no-repeat; background-size: 5px 5px;
  background-image: linear-gradient(45deg, transparent 50%, var(--hotmem-app-muted) 50%),
    linear-gradient(135deg, var(--hotmem-app-muted) 50%, transparent 50%);
  background-position: right 13px center, right 8px center;
}
.hotmem-controls .widget-dropdown select {
  width: auto; max-width: 182px; text-overflow: ellipsis;
}
@supports (field-sizing: content) {
  .hotmem-controls .widget-dropdown select { field-sizing: content; max-width: 420px; }
}
.hotmem-controls .widget-text input[type="text"] { width: 152px; }
.hotmem-controls .widget-text input[type="number"] { width: 62px; }
.hotmem-controls :disabled, .hotmem-controls [disabled] { opacity: 0.45; }
.hotmem-dashboard, .hotmem-tabs {
  margin: 0; background: var(--hotmem-app-page); overflow: visible;
}
.jupyter-widgets.hotmem-tabs > .lm-TabBar {
  min-height: 0; padding: 0 12px; overflow: visible; background: none;
  border-bottom: 1px solid var(--hotmem-app-line);
}
.jupyter-widgets.hotmem-tabs > .lm-TabBar > .lm-TabBar-content { flex-wrap: wrap; border: 0; }
.jupyter-widgets.hotmem-tabs > .lm-TabBar .lm-TabBar-tab {
  flex: none; min-width: 0; max-width: none; min-height: 0; margin: 0; padding: 0 10px; border: 0;
  color: var(--hotmem-app-muted); background: none; cursor: pointer;
  border-bottom: 3px solid transparent; font: 400 15px/30px system-ui, "DejaVu Sans", sans-serif;
}
.jupyter-widgets.hotmem-tabs > .lm-TabBar .lm-TabBar-tab:hover:not(.lm-mod-current) {
  color: var(--hotmem-app-ink); background: none;
}
.jupyter-widgets.hotmem-tabs > .lm-TabBar .lm-TabBar-tab.lm-mod-current {
  min-height: 0; transform: none; color: var(--hotmem-app-ink); background: none;
  border-bottom-color: var(--hotmem-app-accent);
}
.jupyter-widgets.hotmem-tabs > .lm-TabBar .lm-TabBar-tab.lm-mod-current::before {
  display: none;
}
.jupyter-widgets.hotmem-tabs > .lm-TabBar .lm-TabBar-tab:focus-visible {
  outline: 2px solid var(--hotmem-app-accent); outline-offset: -2px; border-radius: 6px;
}
@media (max-width: 1420px) {
  .jupyter-widgets.hotmem-tabs > .lm-TabBar { padding: 0 8px; }
  .jupyter-widgets.hotmem-tabs > .lm-TabBar .lm-TabBar-tab { padding: 0 4px; font-size: 14px; }
}
.jupyter-widgets.hotmem-tabs > .widget-tab-contents {
  margin: 0; padding: 0; border: 0; overflow: visible; background: none;
}
.hotmem-tabs > .widget-tab-contents > .widget-vbox { margin: 0; overflow: visible; }
.hotmem-controls > .hotmem-fold:has(.jupyter-widget-Collapse-open) { flex: 1 0 100%; }
.hotmem-fold .jupyter-widget-Collapse-header, .hotmem-fold .jupyter-widget-Collapse-contents {
  padding: 0; border: 0; color: var(--hotmem-app-muted); background: none;
}
.hotmem-fold .jupyter-widget-Collapse-header {
  width: max-content; font: 400 14px/28px system-ui, "DejaVu Sans", sans-serif;
}
.hotmem-fold .jupyter-widget-Collapse-header:hover { color: var(--hotmem-app-ink); }
.hotmem-fold .jupyter-widget-Collapse-header:focus-visible {
  outline: 2px solid var(--hotmem-app-accent); border-radius: 6px;
}
.hotmem-fold .hotmem-controls { padding: 0; }
.hotmem-waiting {
  padding: 24px; color: var(--hotmem-app-muted);
  font: 400 16px/1.45 system-ui, "DejaVu Sans", sans-serif;
}
.hotmem-scoreboard {
  padding: 12px 14px; overflow-x: auto; color: var(--hotmem-app-ink);
  font: 400 14px/1.35 system-ui, "DejaVu Sans", sans-serif; font-variant-numeric: tabular-nums;
}
.hotmem-scoreboard table { border-collapse: collapse; width: 100%; }
.hotmem-scoreboard th, .hotmem-scoreboard td {
  padding: 5px 6px; border-bottom: 1px solid var(--hotmem-app-line); text-align: right;
}
.hotmem-scoreboard th { font-weight: 400; }
.hotmem-scoreboard thead th { color: var(--hotmem-app-muted); vertical-align: bottom; }
.hotmem-scoreboard th:first-child { min-width: 150px; text-align: left; }
.hotmem-scoreboard td { white-space: nowrap; }
.hotmem-scoreboard .best { color: var(--hotmem-app-usable); }
.hotmem-scoreboard .worst { color: var(--hotmem-app-useless); }
.hotmem-scoreboard p { margin: 6px 0 0; color: var(--hotmem-app-muted); }
.hotmem-figure { margin: 0; padding: 12px 14px; color: var(--hotmem-app-muted); }
.hotmem-figure img { display: block; width: 100%; max-width: 940px; border-radius: 10px; }
.hotmem-error {
  margin: 8px 12px 0; padding: 10px 14px; border-left: 4px solid var(--hotmem-app-alarm);
  border-radius: 4px; color: var(--hotmem-app-ink); background: var(--hotmem-app-panel);
  font: 400 15px/1.45 system-ui, "DejaVu Sans", sans-serif; white-space: normal;
}
.hotmem-error pre { margin: 6px 0 0; font-size: 14px; overflow-x: auto; }
"""

_WORDS = ("page", "panel", "ink", "muted", "line", "accent", "alarm", "usable", "useless")
"""Words of the palette that the rules above use."""


def style_sheet() -> str:
    """Return the controls' style sheet; the stage inside the app says which theme is on."""
    themes = []
    for theme in THEMES:
        values = " ".join(f"--hotmem-app-{word}: {colour(word, theme)};" for word in _WORDS)
        for part in ("app", "dashboard"):
            inside = f'.hotmem-{part}:has(.hotmem-stage[data-theme="{theme}"])'
            themes.append(f"{inside} {{ {values} }}")
        other = next(one for one in THEMES if one != theme)
        themes.append(
            f'.hotmem-app:has(.hotmem-stage[data-theme="{theme}"]) .hotmem-in-{other} '
            "{ display: none; }"
        )
        # Voila's page is the app's page: one colour from edge to edge.
        ground = f'#rendered_cells:has(.hotmem-stage[data-theme="{theme}"])'
        themes.append(f"{ground} {{ background: {colour('page', theme)}; padding: 0; }}")
    return "\n".join([*themes, _RULES])
