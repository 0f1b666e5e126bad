"""The browser's modules can be joined: their rules hold, and the result parses as one."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from hotmem_viz.views import bundle, page

TOP_LEVEL = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|const|let|class) ([A-Za-z_$][\w$]*)", re.MULTILINE
)
IMPORTED = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*\"\./([\w.]+)\";$", re.MULTILINE)


def test_every_module_on_disk_is_joined():
    assert set(bundle.MODULES) == {path.name for path in bundle.STATIC.glob("*.js")}


def test_top_level_names_are_unique_over_all_modules_and_the_page():
    names = Counter(
        name for module in bundle.MODULES for name in TOP_LEVEL.findall(bundle.read_module(module))
    )
    names.update(re.findall(r"^const (\w+)", page._PAGE, re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("module", bundle.MODULES)
def test_a_module_imports_only_by_name_and_from_those_before_it(module: str):
    text = bundle.read_module(module)
    before = bundle.MODULES[: bundle.MODULES.index(module)]
    assert "export default" not in text
    assert not re.search(r"\bimport\s*\(|\bimport\s+\*", text)
    assert len(re.findall(r"^import\b", text, re.MULTILINE)) == len(IMPORTED.findall(text))
    for names, source in IMPORTED.findall(text):
        assert source in before
        exported = re.findall(
            r"^export (?:async )?(?:function\*?|const|class) (\w+)",
            bundle.read_module(source),
            re.MULTILINE,
        )
        assert not re.search(r"\bas\b", names)
        for name in filter(None, (n.strip() for n in names.split(","))):
            assert name in exported, f"{name} from {source}"
            assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{name} is imported in vain"


def test_the_joined_text_has_one_export_and_no_import():
    text = bundle.join_modules()
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export\b.*", text, re.MULTILINE) == [
        "export default { render: renderStage };"
    ]


def test_every_css_rule_stays_inside_the_stage():
    css = re.sub(r"/\*.*?\*/", "", bundle.style_sheet(), flags=re.DOTALL)
    css = re.sub(r"@keyframes [\w-]+ \{(?:[^{}]|\{[^}]*\})*\}", "", css)
    css = re.sub(r"@media[^{]*\{", "", css)
    for selectors in re.findall(r"([^{}]+)\{", css):
        for selector in selectors.split(","):
            assert selector.strip().startswith(".hotmem-stage"), selector


def test_no_text_is_below_fourteen_pixels():
    css = bundle.style_sheet()
    shrunk = re.sub(r"max\(14px, calc\(var\(--hotmem-size\) - 1px\)\)", "14px", css)
    assert "var(--hotmem-size) -" not in shrunk
    fixed = re.sub(r"calc\([^)]*\)+[^;]*", "", shrunk)
    sizes = re.findall(r"(?:font(?:-size)?|--hotmem-size):[^;]*?(\d+)px", fixed)
    assert len(sizes) > 5
    assert [size for size in sizes if int(size) < 14] == []
