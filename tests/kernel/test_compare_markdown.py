"""The page of the docs: every row counted, the worst named, hostile names kept in their cells."""

from __future__ import annotations

import pytest

from hotmem_viz.cli import main
from hotmem_viz.kernel.compare import Compared
from hotmem_viz.kernel.compare_markdown import markdown_page
from hotmem_viz.kernel.compare_rows import EXACT, FIVE_PERCENT, Row


def make_row(capture, quantity, subject, predicted, observed, tolerance=EXACT):
    relative = tolerance != EXACT
    why = "no profile" if predicted is None else ""
    return Row(capture, quantity, "pages", subject, predicted, observed, tolerance, relative, why)


RESULTS = [
    Compared(
        "first",
        "6.1.0-1",
        "6.1",
        (
            make_row("first", "zone-start", "node 0 DMA", 1, 1),
            make_row("first", "zone-start", "node 0 Normal", 4096, 5000),
            make_row("first", "objects-until-oom", "files", 103, 100, FIVE_PERCENT),
        ),
    ),
    Compared("second", "9.9.0-1", "", (make_row("second", "zone-start", "a|b\nc", None, 7),)),
]


def section(page, title):
    """Return the table lines below a heading, without head and rule."""
    body = page.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line for line in body.splitlines() if line.startswith("|")][2:]


def test_quantities_count_every_row_and_name_the_worst():
    page = markdown_page(RESULTS, "hotmem-viz compare x --markdown")
    assert section(page, "By quantity") == [
        "| `zone-start` | 3 | 1 | 1 | 1 | 904 | exact |",
        "| `objects-until-oom` | 1 | 1 | 0 | 0 | 3.00% | 5.00% |",
    ]
    assert section(page, "By capture") == [
        "| first | 6.1.0-1 | 6.1 | 3 | 2 | 1 | 0 |",
        "| second | 9.9.0-1 | - | 1 | 0 | 0 | 1 |",
    ]
    assert "2 captures, 4 rows: 2 within tolerance, 1 out of it, 1 not predicted" in page


def test_a_row_out_of_tolerance_and_one_without_prediction_are_listed():
    page = markdown_page(RESULTS, "x")
    assert section(page, "Out of tolerance") == [
        "| first | `zone-start` | node 0 Normal | 4,096 | 5,000 pages | 904 | exact |"
    ]
    assert section(page, "Not predicted") == ["| second | `zone-start` | 1 | no profile |"]
    assert section(page, "Row by row") == [
        "| first | `objects-until-oom` | files | 103 | 100 pages | 3.00% | 5.00% |"
    ]


def test_a_hostile_subject_stays_in_its_cell():
    bad = make_row("second", "zone-start", "a|b\nc", 6, 7)
    page = markdown_page([Compared("second", "9.9.0-1", "", (bad,))], "x")
    assert section(page, "Out of tolerance") == [
        r"| second | `zone-start` | a\|b c | 6 | 7 pages | 1 | exact |"
    ]


def test_the_command_prints_the_page_and_nothing_else(capsys):
    with pytest.raises(SystemExit) as left:
        main(["compare", "a-none", "e-boot-01G", "--markdown"])
    printed = capsys.readouterr()
    assert (left.value.code, printed.err) == (0, "")
    assert printed.out.startswith("# The model beside captured kernels\n")
    assert "`hotmem-viz compare a-none e-boot-01G --markdown`" in printed.out
    assert section(printed.out, "Out of tolerance") == []


def test_json_and_markdown_exclude_each_other(capsys):
    with pytest.raises(SystemExit) as left:
        main(["compare", "a-none", "--json", "--markdown"])
    assert left.value.code == 2
    assert "exclude each other" in capsys.readouterr().err
