"""`gatehouse rules …`: check packs and run their tests."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from gateway.cli import rule_packs
from gateway.cli.common import Group, Place, json_option, print_json, with_place
from gateway.cli.rules_backtest import backtest
from gateway.cli.rules_why import save_test, why
from gateway.errors import UsageError


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    for command in (backtest, save_test, why, *rule_packs.COMMANDS):
        rules.add_command(command)
    root.add_command(rules)


@click.group(cls=Group)
def rules() -> None:
    """Check rule packs and run the tests in them; change the site's packs while the gateway runs."""


paths_argument = click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))


def _packs(place: Place, paths: tuple[Path, ...]) -> list[Path]:
    from rules import shipped_packs

    if not paths:
        return [*shipped_packs(), *sorted(place.home.rules.glob("*.yaml"))]
    found: list[Path] = []
    for path in paths:
        packs = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not packs:
            raise UsageError(f"{path} holds no rule pack: packs are files that end in .yaml")
        found += packs
    return found


@rules.command()
@with_place
@paths_argument
@json_option
def check(place: Place, paths: tuple[Path, ...], as_json: bool) -> None:
    """Check packs (default: the shipped ones and the site's) and list everything wrong with them.

    \b
    Example:
      gatehouse rules check site-rules.yaml
    """
    from rules import check as check_packs

    packs = _packs(place, paths)
    problems = check_packs(packs)
    if as_json:
        print_json([msgspec.to_builtins(problem) for problem in problems])
    else:
        for problem in problems:
            click.echo(str(problem), err=True)
        click.echo(f"{len(packs)} packs, {len(problems)} problems")
    sys.exit(2 if problems else 0)


@rules.command()
def schema() -> None:
    """Print the language of rules as a JSON Schema, so that an editor completes words, kinds and values.

    \b
    Example:
      gatehouse rules schema > site/rules/rules.schema.json
    """
    from gateway.catalogue import load_catalogue
    from rules.schema import schema as schema_of

    print_json(schema_of(load_catalogue()))


@rules.command()
@with_place
@paths_argument
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write JUnit XML into a file.",
)
@json_option
def test(place: Place, paths: tuple[Path, ...], junit_file: Path | None, as_json: bool) -> None:
    """Run the timeline tests of packs, on a virtual clock.

    \b
    Example:
      gatehouse rules test site-rules.yaml
    """
    from rules.testing import run

    report = run(_packs(place, paths))
    if junit_file is not None:
        from rules.junit import junit

        junit_file.write_text(junit(report), encoding="utf-8")
    if as_json:
        print_json(report.to_dict())
    else:
        click.echo(report.text())
    sys.exit(0 if report.passed else 1)
