"""`gatehouse notify …`: the channels to people, the log of messages, and tests of both."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(notify)


@click.group(cls=Group)
def notify() -> None:
    """Test how people are told, list messages, and try them again."""


@notify.command()
@with_place
@click.option("--to", help="The person it is for; channels that speak to a group need none.")
@click.option("--channel", help="Only by this channel.")
@click.option(
    "--within", type=click.FloatRange(1, 600), default=60.0, show_default=True, help="Give up waiting after so long."
)
@json_option
def test(place: Place, to: str | None, channel: str | None, within: float, as_json: bool) -> None:
    """Send a message that says that it is a test, and tell what became of it. Exit code 1 if any did not arrive.

    Through the running gateway, or, where none runs, straight to the channels.

    \b
    Example:
      gatehouse notify test --to anna
      gatehouse notify test --channel desk
    """
    from gateway.app.notify import test_channels

    outcomes = test_channels(place.home, place.settings, to=to, channel=channel, within=within)
    if as_json:
        print_json(outcomes)
    else:
        for one in outcomes:
            click.echo(f"{one['channel']}: {'sent' if one['ok'] else one['error']}")
        if not outcomes:
            click.echo("nothing was sent: every channel needs a person, say --to")
    sys.exit(0 if outcomes and all(one["ok"] for one in outcomes) else 1)


@notify.command(name="list")
@with_place
@click.option("--unsent", is_flag=True, help="Only those that are not sent.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
@json_option
def list_messages(place: Place, unsent: bool, limit: int, as_json: bool) -> None:
    """List the newest messages to people.

    \b
    Example:
      gatehouse notify list --unsent
    """
    from gateway.app.notify import messages

    found = messages(place.home, place.settings, unsent=unsent, limit=limit)
    if as_json:
        print_json(found)
        return
    rows = []
    for one in found:
        at = datetime.fromtimestamp(one["created_at"], UTC).isoformat(timespec="seconds")
        why = one["tried"][-1]["error"] if one["tried"] and one["state"] != "sent" else ""
        by = one["sent_by"] or ",".join(one["channels"])
        rows.append((one["id"], at, one["state"], by, ",".join(one["people"]), one["title"].get("en", ""), why))
    print_table(rows, ("ID", "AT", "STATE", "BY", "PEOPLE", "TITLE", "WHY"))


@notify.command()
@with_place
@click.argument("ident")
def retry(place: Place, ident: str) -> None:
    """Try a message again at once, also one that was given up.

    \b
    Example:
      gatehouse notify retry no-00000001f-01
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("notification.retry", notification=ident)
    click.echo(f"{ident} is tried again")


@notify.command()
@with_place
@json_option
def channels(place: Place, as_json: bool) -> None:
    """List the channels, their secrets masked, and the escalation chains.

    \b
    Example:
      gatehouse notify channels
    """
    from gateway.app.channels import load_alarms

    alarms = load_alarms(place.home)
    if as_json:
        print_json(
            {
                "channels": [channel.masked() for channel in alarms.channels],
                "chains": [chain.id for chain in alarms.book.chains.values()],
            }
        )
        return
    rows = [(one.id, one.type, one.language, one.needs or "group") for one in alarms.channels]
    print_table(rows, ("ID", "TYPE", "LANGUAGE", "NEEDS"))
    click.echo(f"chains: {', '.join(alarms.book.chains)}")
