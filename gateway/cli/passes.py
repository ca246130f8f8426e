"""`gatehouse pass …`: passes from the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place
from gateway.errors import Invalid

KINDS = click.Choice(["plate", "card", "person", "qr"])
#: Options of a pass that are texts.
_TEXTS = ("name", "note", "days", "hours", "household", "host")


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(pass_)


@click.group(cls=Group, name="pass")
def pass_() -> None:
    """Who and what may pass: people, vehicles, visitors with a QR code, and those refused."""


def _details(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what a pass is."""
    for option in (
        click.option("--name", help="Whose it is."),
        click.option("--zone", "zones", multiple=True, help="A zone it leads to; may be repeated [default: all]."),
        click.option("--from", "from_at", metavar="TIME", help="From when, as 2026-12-01T08:00:00+08:00."),
        click.option("--until", "until_at", metavar="TIME", help="Until when."),
        click.option("--days", help="On which days: mon-fri."),
        click.option("--hours", help="In which hours: 08:00-18:00."),
        click.option("--household", help="Whose passes share spaces."),
        click.option("--spaces", type=click.IntRange(0, 1000), help="Spaces of the household."),
        click.option("--entries", type=click.IntRange(1, 100_000), help="How often it may enter in all."),
        click.option("--anti-passback/--no-anti-passback", default=None, help="It must leave before it enters again."),
        click.option("--blocked/--not-blocked", default=None, help="Refuse it, whatever other pass there is."),
        click.option("--visitor/--no-visitor", default=None, help="It is a visitor's."),
        click.option("--host", help="Whom the visitor comes to see."),
        click.option("--note", help="For people."),
    ):
        command = option(command)
    return command


@pass_.command()
@with_place
@click.argument("kind", type=KINDS)
@click.argument("value", required=False)
@click.option("--site", required=True, help="The site it is of.")
@click.option("--id", "ident", help="Its id [default: made].")
@_details
def add(place: Place, kind: str, value: str | None, site: str, ident: str | None, **details: Any) -> None:
    """Make a pass for a plate, a card, a person's number, or a visitor with a QR code, who has no VALUE.

    \b
    Example:
      gatehouse pass add plate 沪A12345 --site s1 --household 3-501 --spaces 1
      gatehouse pass add qr --site s1 --name "Mr Wu" --until 2026-12-01T18:00:00+08:00 --entries 1
      gatehouse pass add plate 沪B00001 --site s1 --blocked
    """
    from gateway.app.acting import acting

    args = {"id": ident, "site": site, "kind": kind, "value": value, **_given(details)}
    if kind == "qr":
        args.setdefault("visitor", True)
    with acting(place.home, place.settings) as act:
        made = act("pass.put", **{name: given for name, given in args.items() if given is not None})
    click.echo(made["id"])


@pass_.command()
@with_place
@click.argument("ident", metavar="ID")
@click.option("--value", help="Another plate, card or number.")
@click.option("--clear", multiple=True, help="An option that it shall not have any more, as 'until'; may be repeated.")
@_details
def edit(place: Place, ident: str, value: str | None, clear: tuple[str, ...], **details: Any) -> None:
    """Change what is given of a pass, and leave the rest.

    \b
    Example:
      gatehouse pass edit ps-1 --until 2027-01-01T00:00:00+08:00
      gatehouse pass edit ps-1 --blocked --clear hours
    """
    from gateway.app.acting import acting
    from gateway.app.passes import stored

    one = stored(place.home, place.settings, ident)
    args: dict[str, Any] = {name: getattr(one, name) for name in (*_TEXTS, "from_at", "until_at", "spaces", "entries")}
    args |= {name: getattr(one, name) for name in ("blocked", "visitor", "anti_passback", "value", "kind", "site")}
    args |= {"zones": list(one.zones), "id": one.id, "version": one.version}
    for name in clear:
        field = {"from": "from_at", "until": "until_at", "zone": "zones"}.get(name, name)
        if field not in (*_TEXTS, "from_at", "until_at", "spaces", "entries", "zones"):
            raise Invalid("--clear", f"'{name}' is no option of a pass that can be left out")
        args[field] = None
    args |= _given(details) | ({"value": value} if value is not None else {})
    with acting(place.home, place.settings) as act:
        act("pass.put", **{name: given for name, given in args.items() if given not in (None, "")})
    click.echo(f"{ident} is changed")


@pass_.command(name="list")
@with_place
@click.option("--site", help="Of this site alone.")
@click.option("--kind", type=KINDS, help="Of this kind alone.")
@json_option
def list_(place: Place, site: str | None, kind: str | None, as_json: bool) -> None:
    """List passes, personal data masked.

    \b
    Example:
      gatehouse pass list --kind qr
    """
    from gateway.app.passes import passes

    found = passes(place.home, place.settings, site=site, kind=kind)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], one["site"], one["kind"], one["value"], one["name"], one["until_at"] or "",
         "blocked" if one["blocked"] else "inside" if one["inside"] else "",
         f"{one['used']} of {one['entries']}" if one["entries"] else "")
        for one in found
    ]  # fmt: skip
    print_table(rows, ("id", "site", "kind", "value", "name", "until", "state", "entries"))


@pass_.command()
@with_place
@click.argument("ident", metavar="ID")
def revoke(place: Place, ident: str) -> None:
    """Take a pass away; a code that was given out for it is void at once.

    \b
    Example:
      gatehouse pass revoke ps-1
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("pass.remove", id=ident)
    click.echo(f"{ident} is revoked")


@pass_.command()
@with_place
@click.argument("ident", metavar="ID")
def left(place: Place, ident: str) -> None:
    """Say that it has left unseen: its space is free and it may enter again.

    \b
    Example:
      gatehouse pass left ps-1
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("pass.outside", id=ident)
    click.echo(f"{ident} is outside")


@pass_.command()
@with_place
@click.argument("ident", metavar="ID")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--renew", is_flag=True, help="Make the codes given out so far void first.")
def qr(place: Place, ident: str, file: Path, renew: bool) -> None:
    """Write a visitor's QR code as a picture to FILE, an SVG or PNG. Whoever has the picture gets in.

    \b
    Example:
      gatehouse pass qr ps-1 visitor.png
      gatehouse pass qr ps-1 visitor.svg --renew
    """
    from gateway.api.codes import draw
    from gateway.app.acting import acting

    form = file.suffix.lower().removeprefix(".")
    if form not in ("svg", "png"):
        raise Invalid("file", f"'{file.name}' must end in .svg or .png")
    with acting(place.home, place.settings) as act:
        if renew:
            act("pass.renew", id=ident)
        given = act("pass.code", id=ident)
    file.touch(mode=0o600)
    file.write_bytes(draw(str(given["code"]), form)[1])
    until = datetime.fromtimestamp(float(given["until_at"])).astimezone().isoformat(timespec="minutes")
    click.echo(f"{file}: good until {until}")


@pass_.command(name="rotate-keys")
@with_place
@click.option("--at-once", is_flag=True, help="Make all codes given out so far void.")
def rotate_keys(place: Place, at_once: bool) -> None:
    """Sign visitors' codes with a new key from now on. The older ones stay good until they end, unless --at-once.

    \b
    Example:
      gatehouse pass rotate-keys
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        act("pass.rotate_keys", at_once=at_once)
    click.echo(
        "a new key signs; " + ("all older codes are void" if at_once else "older codes stay good until they end")
    )


@pass_.command(name="import")
@with_place
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--site", required=True, help="The site they are of.")
def import_passes(place: Place, file: Path, site: str) -> None:
    """Add or change the passes in the CSV FILE: all of them, or none and each line that is wrong.

    \b
    Example:
      gatehouse pass import residents.csv --site s1
    """
    from gateway.app.acting import acting
    from gateway.services.pass_csv import rows_of

    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid("file", f"{file}: expected text in UTF-8 ({error.reason})") from error
    rows = rows_of(text)
    with acting(place.home, place.settings) as act:
        told = act("pass.import", site=site, rows=rows)
    click.echo(f"{told['imported']} passes, {told['changed']} of them changed")


@pass_.command()
@with_place
@click.argument("device")
@click.argument("value")
@click.option("--kind", type=KINDS, default="plate", show_default=True)
@click.option("--direction", type=click.Choice(["in", "out"]), default="in", show_default=True)
@json_option
def check(place: Place, device: str, value: str, kind: str, direction: str, as_json: bool) -> None:
    """Say whether VALUE would be let through DEVICE now, and why not. Exit code 1 if not.

    \b
    Example:
      gatehouse pass check gate-1 沪A12345
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        told = act("pass.check", device=device, kind=kind, value=value, direction=direction)
    if as_json:
        print_json(told)
    else:
        click.echo(f"{told['reason']}: {told['text']['en']} {told['text']['zh']}")
    raise SystemExit(0 if told["allowed"] else 1)


@pass_.command()
@with_place
@click.option("--device", help="At this device alone.")
@click.option("--refused", is_flag=True, help="The refusals alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many.")
@json_option
def decisions(place: Place, device: str | None, refused: bool, limit: int, as_json: bool) -> None:
    """List what doors and barriers were answered, newest first, with the reason in both languages.

    \b
    Example:
      gatehouse pass decisions --refused --device gate-1
    """
    from gateway.app.passes import decisions as read

    found = read(place.home, place.settings, limit, device=device, allowed=False if refused else None)
    if as_json:
        print_json(found)
        return
    rows = [
        (one["time"], one["device"], one["kind"], one["value"], one["direction"], "yes" if one["allowed"] else "no",
         one["reason"], f"{one['text'].get('en', '')} {one['text'].get('zh', '')}")
        for one in found
    ]  # fmt: skip
    print_table(rows, ("time", "device", "kind", "value", "way", "let through", "reason", "why"))


@pass_.command()
@with_place
@click.option("--device", help="The entries of this device that are not as they shall be.")
@json_option
def lists(place: Place, device: str | None, as_json: bool) -> None:
    """List the devices that hold a list of passes themselves, and whether each has what it shall have.

    \b
    Example:
      gatehouse pass lists
      gatehouse pass lists --device cam-1
    """
    from gateway.app.passes import list_entries
    from gateway.app.passes import lists as read

    found = list_entries(place.home, place.settings, device) if device else read(place.home, place.settings)
    if as_json:
        print_json(found)
    else:
        entry = ("value", "state", "wanted", "attempts", "reason")
        names: tuple[str, ...] = entry if device else ("id", "kind", "state", "entries", "pending", "failed", "reason")
        print_table([[one[name] for name in names] for one in found], names)


@pass_.command()
@with_place
@click.argument("device")
@click.option("--empty", is_flag=True, help="The device was reset: it holds nothing any more.")
def resync(place: Place, device: str, empty: bool) -> None:
    """Send DEVICE all of its list again.

    \b
    Example:
      gatehouse pass resync cam-1 --empty
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        told = act("list.resync", device=device, empty=empty)
    click.echo(f"{device}: {told['pending']} entries are sent again")


def _given(details: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as the arguments of `pass.put`."""
    given = {name: value for name, value in details.items() if value is not None and value != ()}
    for name in ("from_at", "until_at"):
        if name in given:
            given[name] = _time(name.removesuffix("_at"), given[name])
    return given | ({"zones": list(given["zones"])} if "zones" in given else {})


def _time(name: str, text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise Invalid(f"--{name}", f"'{text}': write 2026-12-01T08:00:00+08:00")
    return found.timestamp()
