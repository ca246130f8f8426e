"""`gatehouse ledger`, `gatehouse config …`, `gatehouse audit …`: what the gateway holds and how it is set."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from gateway.cli.common import Command, Group, Place, json_option, print_json, with_place
from gateway.config import require_files, without_password


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(ledger)
    root.add_command(config)
    root.add_command(audit)


@click.command(cls=Command)
@with_place
@json_option
def ledger(place: Place, as_json: bool) -> None:
    """Show what became of every message received. Exit code 1 if the sum does not hold.

    \b
    Example:
      gatehouse ledger --json
    """
    from gateway.app.reading import ledger as read_ledger

    counts = read_ledger(place.home, place.settings)
    whole = counts["received"] == sum(counts["fates"].values())
    if as_json:
        print_json(counts)
    else:
        click.echo(f"received        {counts['received']}")
        for fate, count in counts["fates"].items():
            click.echo(f"  {fate:14}{count}")
        click.echo("every message has exactly one fate" if whole else "THE SUM DOES NOT HOLD: please report this")
    sys.exit(0 if whole else 1)


@click.group(cls=Group)
def config() -> None:
    """Show and check the settings."""


@config.command()
@with_place
@json_option
def show(place: Place, as_json: bool) -> None:
    """Show every setting as it is in force. Secrets, also those of channels.yaml, are shown as ***.

    \b
    Example:
      gatehouse config show --json
    """
    from gateway.app.channels import read_channels

    settings = msgspec.to_builtins(place.settings)
    settings["store"]["url"] = without_password(settings["store"]["url"])
    channels = [channel.masked() for channel in read_channels(place.home)]
    if as_json:
        print_json({**settings, "channels": channels})
        return
    for section, values in settings.items():
        click.echo(f"{section}:")
        for key, value in values.items():
            click.echo(f"  {key}: {value!r}")
    for channel in channels:
        click.echo(f"channel {channel['id']}: " + ", ".join(f"{key}={value}" for key, value in channel.items()))


@config.command(name="check")
@with_place
def check_config(place: Place) -> None:
    """Check the settings, rule packs, plans, mappings, channels and chains. Exit code 2 if something is wrong.

    \b
    Example:
      gatehouse config check --home ./site
    """
    from gateway.app.definitions import load_definitions, load_rules

    require_files(place.settings)
    _check_parts(place)
    known = load_definitions(place.home)
    rules = load_rules(place.home, known.catalogue)
    adapters = {adapter.manifest.name for adapter in known.adapters.values()}
    click.echo(f"fine: {len(rules)} rules, {len(known.plans)} plans, adapters {', '.join(sorted(adapters))}")


def _check_parts(place: Place) -> None:
    """Every part of the site's files is read, so that all that is wrong is told at once; the last mistake is raised."""
    from gateway.app.site_files import PARTS
    from gateway.catalogue import load_catalogue
    from gateway.errors import GatehouseError

    catalogue = load_catalogue()
    wrong: list[GatehouseError] = []
    for part in PARTS:
        try:
            part.read(place.home, part.texts(place.home), catalogue)
        except GatehouseError as error:
            wrong.append(error)
    for other in wrong[:-1]:
        click.echo(other.message, err=True)
    if wrong:
        raise wrong[-1]


@click.group(cls=Group)
def audit() -> None:
    """Prove the audit."""


@audit.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_place
@json_option
def verify(place: Place, as_json: bool, file: Path | None) -> None:
    """Check the audit's chain of hashes from the first entry to the last. Exit code 1 if it is broken.

    With FILE, an incident pack is checked instead, on any machine: every file in it and its part of the chain.

    \b
    Example:
      gatehouse audit verify
      gatehouse audit verify incident-al-00000000a-01.zip
    """
    if file is not None:
        _verify_pack(file, as_json)
        return
    from gateway.app.reading import audit_rows
    from gateway.store.writer import verify_chain

    rows = audit_rows(place.home, place.settings)
    broken = verify_chain(rows)
    if as_json:
        print_json({"entries": len(rows), "broken_at": broken})
    elif broken is None:
        click.echo(f"{len(rows)} entries, the chain is whole")
    else:
        click.echo(f"the chain is broken at entry {broken}: it, or the one before, was changed after it was written")
    sys.exit(0 if broken is None else 1)


def _verify_pack(file: Path, as_json: bool) -> None:
    from gateway.store.incident import verify as verify_pack

    verdict = verify_pack(file.read_bytes())
    if as_json:
        print_json(verdict._asdict())
    elif verdict.problems:
        for problem in verdict.problems:
            click.echo(problem)
    else:
        click.echo(
            f"alert {verdict.alert}: {verdict.files} files as they were packed; "
            f"{verdict.lines} entries of the audit and the chain of {verdict.links} are whole"
        )
        click.echo(f"seal {verdict.seal}")
    sys.exit(1 if verdict.problems else 0)
