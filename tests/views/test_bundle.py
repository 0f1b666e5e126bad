"""The browser's modules can be joined: their rules hold, and the result parses as one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest

from hotmem_viz.views import bundle, page

TOP_LEVEL = re.compile(
    r"^(?:export )?(?:async )?(?:function\*?|const|let|class) ([A-Za-z_$][\w$]*)", re.MULTILINE
)
IMPORTED = re.compile(r"^import\s*\{([^}]*)\}\s*from\s*\"\./([\w.]+)\";$", re.MULTILINE)


def test_every_module_on_disk_is_joined():
    joined = {*bundle.MODULES, *bundle.CARD_MODULES}
    assert joined == {path.name for path in bundle.STATIC.glob("*.js")}


def test_top_level_names_are_unique_over_all_modules_and_the_page():
    names = Counter(
        name
        for module in dict.fromkeys((*bundle.MODULES, *bundle.CARD_MODULES))
        for name in TOP_LEVEL.findall(bundle.read_module(module))
    )
    names.update(re.findall(r"^const (\w+)", page._PAGE, re.MULTILINE))
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize(
    ("modules", "module"),
    [(joined, m) for joined in (bundle.MODULES, bundle.CARD_MODULES) for m in joined],
)
def test_a_module_imports_only_by_name_and_from_those_before_it(
    modules: tuple[str, ...], module: str
):
    text = bundle.read_module(module)
    before = modules[: modules.index(module)]
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


def test_comments_stay_at_home_and_nothing_else():
    kept = "".join(bundle.join_modules().split())
    for module in bundle.MODULES:
        text = bundle.read_module(module)
        assert not re.search(r"`[^`\n]*\n", re.sub(r"`[^`\n]*`", "", text)), "a text of two lines"
        inside = False
        for line in map(str.strip, IMPORTED.sub("", text).splitlines()):
            inside = inside or line.startswith("/**")
            comment, inside = inside or line.startswith("//"), inside and not line.endswith("*/")
            if not comment:
                assert "".join(line.removeprefix("export ").split()) in kept, line
    assert "/**" not in kept
    assert len(bundle.join_modules()) < 0.9 * sum(
        len(bundle.read_module(m)) for m in bundle.MODULES
    )


@pytest.mark.parametrize(
    ("modules", "render"),
    [(bundle.MODULES, "renderStage"), (bundle.CARD_MODULES, "renderQuestion")],
)
def test_the_joined_text_has_one_export_and_no_import(modules: tuple[str, ...], render: str):
    text = bundle.join_modules(modules, render)
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export\b.*", text, re.MULTILINE) == [
        f"export default {{ render: {render} }};"
    ]


@pytest.mark.parametrize(
    ("sheet", "root"),
    [(bundle.style_sheet, ".hotmem-stage"), (bundle.card_style_sheet, ".hotmem-question")],
)
def test_every_css_rule_stays_inside_its_root(sheet: Callable[[], str], root: str):
    css = re.sub(r"/\*.*?\*/", "", sheet(), flags=re.DOTALL)
    css = re.sub(r"@keyframes [\w-]+ \{(?:[^{}]|\{[^}]*\})*\}", "", css)
    css = re.sub(r"@media[^{]*\{", "", css)
    for selectors in re.findall(r"([^{}]+)\{", css):
        for selector in selectors.split(","):
            assert selector.strip().startswith(root), selector


def test_no_text_is_below_fourteen_pixels():
    css = bundle.style_sheet() + bundle.card_style_sheet()
    shrunk = re.sub(r"max\(14px, calc\(var\(--hotmem-size\) - 1px\)\)", "14px", css)
    assert "var(--hotmem-size) -" not in shrunk
    fixed = re.sub(r"calc\([^)]*\)+[^;]*", "", shrunk)
    sizes = re.findall(r"(?:font(?:-size)?|--hotmem-size):[^;]*?(\d+)px", fixed)
    assert len(sizes) > 5
    assert [size for size in sizes if int(size) < 14] == []
