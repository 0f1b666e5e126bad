"""Commands about real kernels: this machine's, and captured ones."""

from __future__ import annotations

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
    """Print this machine's zones and memory blocks, and what could not be read."""
    import json

    from hotmem_viz.kernel.host import read_host

    # Page flags take up to a second and serve the snapshot alone.
    read = read_host(pages=save is not None)
    if save:
        read.save(save)
    click.echo(json.dumps(read.to_json()) if as_json else str(read))


COMMANDS: tuple[click.Command, ...] = (host,)
"""What `cli` adds to its own."""
