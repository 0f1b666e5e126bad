"""Commands about real kernels: this machine's, and captured ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hotmem_viz.errors import HotmemError


def _check_save(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> Path | None:
    # Before anything is read: nobody should wait for a snapshot that cannot be written.
    if path is None:
        return None
    if not path.name.endswith(".tar.xz"):
        raise click.BadParameter(f"{str(path)!r} must end in .tar.xz")
    if not path.parent.is_dir():
        raise HotmemError(f"--save: there is no folder {str(path.parent)!r}")
    return path


@click.command()
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_check_save,
    help="Write a snapshot, a .tar.xz that the other commands take as a capture. It holds the "
    "kernel's command line.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def host(save: Path | None, as_json: bool) -> None:
    """Print this machine's zones and memory blocks.

    A line each says what could not be read, and why.
    """
    import json

    from hotmem_viz.kernel.host import read_host

    # Page flags take up to a second and serve the snapshot alone.
    read = read_host(pages=save is not None)
    if save:
        read.save(save)
    click.echo(json.dumps(read.to_json()) if as_json else str(read))


def _check_page(_ctx: click.Context, _param: click.Parameter, out: Path) -> Path:
    if out.suffix.lower() != ".html":
        raise click.BadParameter(f"{str(out)!r} must end in .html")
    if not out.parent.is_dir():
        raise HotmemError(f"--out: there is no folder {str(out.parent)!r}")
    return out


@click.command()
@click.argument("capture")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_check_page,
    help="Where to: an .html page, which plays without a network.",
)
@click.option("--alone", is_flag=True, help="The captured kernel without the model's run.")
def show(capture: str, out: Path, alone: bool) -> None:
    """Put a captured kernel on the stage, the model beside it.

    CAPTURE is a .tar.xz file, a snapshot of `host` too, or the name of a capture that comes with
    the package.
    """
    from hotmem_viz.kernel.capture_show import load_capture

    shown = load_capture(capture, model=not alone)
    shown.to_html(out)
    if shown.why and not alone:
        click.echo(f"{shown.source.name}: {shown.why}")


@click.command()
@click.argument("captures", nargs=-1, required=True, metavar="CAPTURE...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@click.option(
    "--markdown", "as_markdown", is_flag=True, help="Print the page docs/compare-table.md."
)
def compare(captures: Sequence[str], as_json: bool, as_markdown: bool) -> int:
    """Hold the model against captures of real kernels.

    CAPTURE is a .tar.xz file, the name of a capture that comes with the package, or "all" for all
    of those. Exit status: 0 all rows within tolerance, 1 a row is not, 2 a capture could not be
    used.
    """
    import json

    from tqdm import tqdm

    from hotmem_viz.kernel.captures import capture_names
    from hotmem_viz.kernel.compare import compare_captures, exit_status
    from hotmem_viz.kernel.compare_markdown import markdown_page
    from hotmem_viz.kernel.compare_text import compared_text, summary_text

    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    results, words = [], captures
    captures = capture_names() if tuple(captures) == ("all",) else captures
    # A table a capture is progress enough; what is printed at the end only has a bar meanwhile.
    for result in tqdm(
        compare_captures(captures),
        total=len(captures),
        unit=" captures",
        leave=False,
        disable=None if as_json or as_markdown else True,
    ):
        results.append(result)
        if result.error:
            complain(result.error)
        if result.rows and not (as_json or as_markdown):
            click.echo(f"{compared_text(result)}\n")
    if as_json:
        rows = [row.to_json() for result in results for row in result.rows]
        click.echo(json.dumps({"rows": rows}, allow_nan=False))
    elif as_markdown:
        command = f"hotmem-viz compare {' '.join(words)} --markdown"
        click.echo(markdown_page(results, command), nl=False)
    else:
        click.echo(summary_text(results))
    return exit_status(results)


def complain(message: str) -> None:
    """Print one line on stderr."""
    # Control characters of a hostile file's names would make more than one line of it.
    line = " ".join(message.split())
    click.echo(f"hotmem-viz: {line}", err=True)


COMMANDS: tuple[click.Command, ...] = (compare, host, show)
"""What `cli` adds to its own."""
