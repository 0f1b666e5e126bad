"""The `hotmem-viz` command: the ways in, each error one clear line.

Exit status: 0 done, 2 the command was used wrongly (the line says what is allowed) or `compare`
met a capture that it could not use, 1 anything else. Nothing heavy is imported before a command
needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from hotmem_viz import __version__, cli_kernels, cli_lessons
from hotmem_viz.cli_kernels import complain
from hotmem_viz.errors import HotmemError, ParameterError

DASHBOARD_PORT = 8866
LAB_PORT = 8888


def _remember_debug(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    # Eager and on every command, so that both `--debug run` and `run --debug` work.
    if value:
        ctx.find_root().meta["hotmem_viz.debug"] = True


_debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_remember_debug,
    help="Show the traceback of an error, and the servers' own log.",
)


def _is_debug() -> bool:
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.find_root().meta.get("hotmem_viz.debug"))


def _server_options(default_port: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        port = click.option(
            "--port",
            type=click.IntRange(1, 65535),
            default=default_port,
            show_default=True,
            help="Port on 127.0.0.1; one that is taken is an error.",
        )
        browser = click.option("--no-browser", is_flag=True, help="Do not open a browser.")
        return port(browser(command))

    return decorate


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hotmem-viz")
@_debug_option
@click.pass_context
def cli(ctx: click.Context) -> None:
    """See why Linux cannot always give memory back.

    Without a command, the dashboard starts.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(dashboard)


@cli.command()
@_server_options(DASHBOARD_PORT)
@_debug_option
def dashboard(port: int, no_browser: bool) -> None:
    """Serve the lesson and its controls as one page, on this machine only."""
    from hotmem_viz.apps.server import serve_dashboard

    serve_dashboard(port=port, open_browser=not no_browser, debug=_is_debug())


@cli.command()
@_server_options(LAB_PORT)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where an installed package puts a copy of the notebooks that you may change.",
)
@_debug_option
def lab(port: int, no_browser: bool, folder: Path | None) -> None:
    """Open the course's notebooks in JupyterLab."""
    from hotmem_viz.apps.server import serve_lab

    serve_lab(port=port, open_browser=not no_browser, folder=folder, debug=_is_debug())


@cli.command()
@click.option(
    "--nodes",
    required=True,
    metavar="RANGES",
    help='Memory as the firmware lists it, bytes with suffixes, e.g. "0:0-3G,4G-17G;1:17G-33G".',
)
@click.option("--cmdline", default="", help='Boot options, e.g. "kernelcore=8G movable_node".')
@click.option("--hotplug", default="", metavar="IDS", help="Hot-pluggable nodes, e.g. 1,2.")
@click.option("--arch", default="x86-64", show_default=True, help="x86-64 or pae.")
@click.option("--profile", default=None, help="Kernel profile  [default: 6.1, with pae 6.1-pae]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
@_debug_option
def zones(
    nodes: str, cmdline: str, hotplug: str, arch: str, profile: str | None, as_json: bool
) -> None:
    """Print the zones that a kernel would make of this memory and these boot options."""
    import json

    from hotmem_viz.machine.zone_table import zones_report, zones_text

    report = zones_report(nodes=nodes, cmdline=cmdline, hotplug=hotplug, arch=arch, profile=profile)
    click.echo(json.dumps(report) if as_json else zones_text(report))


def _check_out(_ctx: click.Context, _param: click.Parameter, out: Path) -> Path:
    # Before the run: nobody should wait for a result that cannot be written.
    from hotmem_viz.apps.export import ENDINGS

    if out.suffix.lower() not in ENDINGS:
        allowed = ", ".join(ENDINGS)
        raise click.BadParameter(f"{str(out)!r} has no known ending; {allowed} can be written")
    if not out.parent.is_dir():
        raise HotmemError(f"--out: there is no folder {str(out.parent)!r}")
    return out


def _parse_settings(
    _ctx: click.Context, _param: click.Parameter, pairs: Sequence[str]
) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.BadParameter(f"{pair!r} is not of the form name=value")
        if name in settings:
            raise click.BadParameter(f"{name!r} is set twice")
        settings[name] = text
    return settings


def _name_kernel(words: Sequence[str]) -> list[str]:
    """Take a word that names no parameter for a kernel."""
    return [word if "=" in word else f"profile={word}" for word in words]


def parse_value(text: str) -> int | float | bool | str | None:
    """Return what `text` means as a parameter: a number, true, false, none, or itself."""
    words: dict[str, bool | None] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@cli.command()
@click.argument("scenario")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parse_settings,
    help="A parameter of the scenario; may be given several times.",
)
@click.option(
    "--beside",
    multiple=True,
    metavar="KERNEL|NAME=VALUE",
    callback=lambda ctx, param, words: _parse_settings(ctx, param, _name_kernel(words)),
    help="Run it a second time too, under another kernel (7.2), by another of the strategies (or"
    " all of them), or with a parameter set otherwise (machine=64bit), and show both; for .html.",
)
@click.option("--tick", type=int, help="The tick that a .png shows  [default: the last mark]")
@click.option("--theme", type=click.Choice(["light", "dark"]), help="Of pictures  [default: light]")
@click.option(
    "--fps",
    type=click.IntRange(1, 50),
    help="Ticks a second of a .gif or .mp4  [default: the run in some 20 seconds]",
)
@click.option("--from", "first", type=int, help="First tick of a film or chart  [default: 0]")
@click.option("--to", "last", type=int, help="Last tick of a film or chart  [default: the last]")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_check_out,
    help="Where to: .npz recording, .csv counters (a row a tick), .html page, .png picture, .gif or"
    " .mp4 film, .svg or .pdf chart.",
)
@_debug_option
def run(
    scenario: str, settings: dict[str, str], beside: dict[str, str], out: Path, **wishes: Any
) -> None:
    """Run SCENARIO and write what happened."""
    from hotmem_viz.apps import export
    from hotmem_viz.catalog import read_settings

    parameters = read_settings(scenario, settings, parse_value)
    export.check_wishes(out, wishes)
    if not beside:
        export.write_recording(export.run_with_progress(scenario, parameters), out, **wishes)
    elif out.suffix.lower() != ".html":
        raise click.UsageError("--beside shows runs on one stage: --out has to end in .html")
    else:
        second = read_settings(scenario, beside, parse_value)
        export.line_up_with_progress(scenario, parameters, second).to_html(out)


@cli.command()
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_parse_settings,
    help="A parameter of the scenario strategies; may be given several times.",
)
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to: .svg, .pdf or .png picture, or .csv, the numbers.",
)
@_debug_option
def scoreboard(settings: dict[str, str], theme: str, out: Path) -> None:
    """Run all six strategies on one load and write how they compare."""
    from hotmem_viz.apps.export import write_scoreboard
    from hotmem_viz.catalog import read_settings

    write_scoreboard(read_settings("strategies", settings, parse_value), out, theme)


for _command in (*cli_kernels.COMMANDS, *cli_lessons.COMMANDS):
    cli.add_command(_debug_option(_command))


def _fail(status: int, message: str) -> NoReturn:
    complain(message)
    sys.exit(status)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command and leave the process: 0, 1 or 2, with at most one line on stderr.

    args: the words after the command's name; left out, the process's own.
    """
    words = list(sys.argv[1:] if args is None else args)
    debug = "--debug" in words
    try:
        # click returns the status of --help and --version instead of raising it.
        status = cli.main(words, prog_name="hotmem-viz", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Abort:
        _fail(130, "interrupted")
    except Exception as error:
        if debug:
            raise
        _fail(*_explain(error))


def _explain(error: Exception) -> tuple[int, str]:
    """Return the exit status and the line for an error that a command ended with."""
    if isinstance(error, click.ClickException):
        return error.exit_code, error.format_message()
    if isinstance(error, ParameterError):
        return 2, str(error)
    if isinstance(error, HotmemError | OSError):
        return 1, str(error)
    if isinstance(error, ModuleNotFoundError):
        return 1, f"{error}; pip install 'hotmem-viz[dashboard,export]' brings everything"
    return 1, f"unexpected {type(error).__name__}: {error} (--debug shows where)"
