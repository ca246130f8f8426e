"""`gatehouse bench …`: what the gateway does on this machine."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.common import Group, Place, json_option, print_json, with_place

if TYPE_CHECKING:
    from gateway.app.bench.report import Report


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(bench)


@click.group(cls=Group)
def bench() -> None:
    """Measure the gateway on this machine, with real brokers, processes and disk."""


@bench.command()
@with_place
@json_option
@click.option(
    "--broker",
    type=click.Choice(["embedded", "mosquitto", "both"]),
    default="both",
    show_default=True,
    help="With which broker.",
)
@click.option("--messages", type=click.IntRange(1000, 1_000_000), help="Messages a run [default: 40000].")
@click.option("--runs", type=click.IntRange(1, 20), help="Runs; each figure is their median [default: 3].")
@click.option(
    "--devices", type=click.IntRange(1, 10_000), default=200, show_default=True, help="Devices they are from."
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
    help="On which disk [default: the temporary folder].",
)
@click.option("--quick", is_flag=True, help="One small run of each: whether all of it works, not how fast.")
def ingest(
    place: Place,
    as_json: bool,
    broker: str,
    messages: int | None,
    runs: int | None,
    devices: int,
    folder: Path | None,
    quick: bool,
) -> None:
    """Measure ingestion: durable messages a second, CPU a message, delay to the alert, memory, cost of many rules.

    Starts gateways of its own in a temporary folder and touches no other; progress goes to standard error. Exit code 1
    when a message was lost or doubled. Targets that are missed are shown, and are no failure.

    \b
    Example:
      gatehouse bench ingest --broker mosquitto
      gatehouse bench ingest --json > figures.json
    """
    from gateway.app.bench.brokers import BrokerName, find_mosquitto
    from gateway.app.bench.ingest import Options
    from gateway.app.bench.ingest import ingest as measure
    from gateway.errors import Unavailable

    if broker == "mosquitto" and find_mosquitto() is None:
        raise Unavailable("mosquitto is not installed: 'apt-get install mosquitto', or give --broker embedded")
    brokers: tuple[BrokerName, ...] = ("mosquitto", "embedded")
    if broker != "both":
        brokers = ("embedded",) if broker == "embedded" else ("mosquitto",)
    elif find_mosquitto() is None:
        click.echo("mosquitto is not installed: the embedded broker alone is measured", err=True)
        brokers = ("embedded",)
    _stand_alone()
    options = Options(
        brokers=brokers,
        messages=messages or (3_000 if quick else 40_000),
        runs=runs or (1 if quick else 3),
        devices=devices,
        alarm_seconds=2.0 if quick else 12.0,
        folder=folder,
    )
    report = _told(as_json, lambda say: measure(options, say))
    sys.exit(1 if report.problems else 0)


@bench.command()
@json_option
@click.option("--events", type=click.IntRange(20_000, 5_000_000), help="Events a run [default: 200000].")
@click.option("--runs", type=click.IntRange(1, 20), help="Runs; each figure is their median [default: 5].")
@click.option("--quick", is_flag=True, help="One small run of each: whether all of it works, not how fast.")
def rules(as_json: bool, events: int | None, runs: int | None, quick: bool) -> None:
    """Measure the rules engine alone: events a second of CPU, the cost of many rules, memory, loading of packs.

    In this process, without broker, disk or network. Targets that are missed are shown, and are no failure.

    \b
    Example:
      gatehouse bench rules
      gatehouse bench rules --quick --json
    """
    from gateway.app.bench.backtest import EVENTS
    from gateway.app.bench.rules import Options
    from gateway.app.bench.rules import rules as measure

    options = Options(
        events=events or (30_000 if quick else 200_000),
        runs=runs or (1 if quick else 5),
        backtest=50_000 if quick else EVENTS,
    )
    _told(as_json, lambda say: measure(options, say))


@bench.command()
@json_option
@click.option(
    "--devices", type=click.IntRange(0, 50_000), default=10_000, show_default=True, help="Devices that are registered."
)
@click.option("--starts", type=click.IntRange(1, 50), default=5, show_default=True, help="Starts; their median counts.")
@click.option("--idle", type=click.IntRange(1, 3600), default=40, show_default=True, help="Seconds watched idle.")
def start(as_json: bool, devices: int, starts: int, idle: int) -> None:
    """Measure how soon 'gatehouse run' is ready with many devices, and its CPU and memory while nothing happens.

    With the embedded broker, in a temporary folder. Targets that are missed are shown, and are no failure.

    \b
    Example:
      gatehouse bench start
      gatehouse bench start --devices 0 --json
    """
    from gateway.app.bench.start import Options
    from gateway.app.bench.start import start as measure

    _stand_alone()
    options = Options(devices=devices, starts=starts, idle_seconds=float(idle))
    _told(as_json, lambda say: measure(options, say))


def _told(as_json: bool, measure: Callable[[Callable[[str], None]], Report]) -> Report:
    """Measures, tells on standard error how far it is and since when, and prints the report."""
    from gateway.app.bench.report import table

    began = time.monotonic()
    report = measure(lambda text: click.echo(f"{time.monotonic() - began:6.1f} s  {text}", err=True))
    if as_json:
        print_json(report)
    else:
        click.echo("\n".join(table(report)))
    return report


def _stand_alone() -> None:
    """Keeps the user's own gateway out of it, and lets SIGTERM end the bench as tidily as Ctrl-C does."""
    for name in [name for name in os.environ if name.startswith("GATEHOUSE_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


@bench.command()
@json_option
@click.option("--alerts", type=click.IntRange(100, 1_000_000), default=100_000, show_default=True, help="Alerts.")
@click.option("--orders", type=click.IntRange(100, 1_000_000), default=50_000, show_default=True, help="Work orders.")
@click.option("--events", type=click.IntRange(100, 10_000_000), default=300_000, show_default=True, help="Events.")
@click.option("--pages", type=click.IntRange(5, 10_000), default=40, show_default=True, help="Pages of each list.")
def lists(as_json: bool, alerts: int, orders: int, events: int, pages: int) -> None:
    """Measure every list of the API by every filter, and a month's reports, over a busy year on SQLite.

    Six of ten alerts stand open. `list_page_p95_ms` is the slowest list's.

    \b
    Example:
      gatehouse bench lists
    """
    from gateway.app.bench.lists import lists as measure

    _told(as_json, lambda say: measure(alerts, orders, events, pages, say))


@bench.command()
@json_option
@click.option("--passes", type=click.IntRange(10, 200_000), default=20_000, show_default=True, help="Passes.")
@click.option("--asks", type=click.IntRange(20, 100_000), default=2000, show_default=True, help="Questions of a kind.")
def passes(as_json: bool, passes: int, asks: int) -> None:
    """Measure how long the core takes from a car's message to the command that opens, with many passes on SQLite.

    With the shipped rules, each message committed alone, in a temporary folder. A target that is missed is no failure.

    \b
    Example:
      gatehouse bench passes
      gatehouse bench passes --passes 100000 --json
    """
    from gateway.app.bench.passes import Options
    from gateway.app.bench.passes import passes as measure

    _stand_alone()
    options = Options(passes=passes, asks=asks, visitors=max(4, asks // 10))
    _told(as_json, lambda say: measure(options, say))
