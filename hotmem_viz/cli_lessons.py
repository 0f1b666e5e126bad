"""Commands about the lessons: which claim of the mail is seen where."""

from __future__ import annotations

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def claims(as_json: bool) -> None:
    """Print where each claim of the mail is seen: scenario, parameters and tick."""
    import json

    from hotmem_viz.lessons.claims import ledger

    rows = ledger()
    if as_json:
        click.echo(json.dumps({"claims": rows}, allow_nan=False))
        return
    for row in rows:
        settings = " ".join(f"{name}={value}" for name, value in row["parameters"].items())
        click.echo(f"{row['id']}: {row['claim']}")
        click.echo(f"    {row['scenario']} {settings}, tick {row['tick']}. {row['today']}")


COMMANDS: tuple[click.Command, ...] = (claims,)
"""What `cli` adds to its own."""
