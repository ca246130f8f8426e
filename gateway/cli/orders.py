"""`gatehouse order …`: work orders from the command line."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(order)


@click.group(cls=Group)
def order() -> None:
    """List, export and import work orders."""


state_option = click.option(
    "--state",
    type=click.Choice(
        ["all", "unfinished", "open", "assigned", "accepted", "in_progress", "done", "verified", "closed"]
    ),
    default="unfinished",
    show_default=True,
    help="Which of them.",
)


@order.command(name="list")
@with_place
@state_option
@json_option
def list_(place: Place, state: str, as_json: bool) -> None:
    """List work orders, newest first, personal data masked.

    \b
    Example:
      gatehouse order list --state unfinished
    """
    from gateway.app.orders import orders

    found = orders(place.home, place.settings, state=state, limit=1000)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["number"], one["state"], one["priority"], one["team"], one["assignee"], one["resolve_by"],
         one["title"].get("en", ""))
        for one in found
    ]  # fmt: skip
    print_table(rows, ("number", "state", "priority", "team", "assignee", "resolve by", "title"))


@order.command()
@with_place
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@state_option
def export(place: Place, file: Path, state: str) -> None:
    """Write work orders to a CSV file for spreadsheets; cells that look like formulas are made texts.

    \b
    Example:
      gatehouse order export orders.csv --state all
    """
    from gateway.app.orders import export_csv

    text, count = export_csv(place.home, place.settings, state)
    file.write_text(text, "utf-8", newline="")
    click.echo(f"{count} orders in {file}")


@order.command(name="import")
@with_place
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Only look for mistakes.")
def import_(place: Place, file: Path, check: bool) -> None:
    """Open the orders of a CSV file, all or none; every wrong line is named.

    The first line names the columns: external, site and title, and if wanted team, kind, priority, device, zone, text.

    \b
    Example:
      gatehouse order import orders.csv --check
    """
    from gateway.app.orders import import_csv

    done = import_csv(place.home, place.settings, file, check=check)
    if check:
        click.echo(f"fine: {done['checked']} orders, {done['known']} of them known")
    else:
        click.echo(f"{done['opened']} orders opened, {done['known']} were known")
