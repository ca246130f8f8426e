"""`gatehouse plan …`: emergency plans, drills and their reports from the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
import msgspec

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(plan)


@click.group(cls=Group)
def plan() -> None:
    """Start emergency plans and drills, report their steps, print their reports."""


@plan.command(name="list")
@with_place
@json_option
def list_plans(place: Place, as_json: bool) -> None:
    """List the plans: the shipped ones and the site's own.

    \b
    Example:
      gatehouse plan list
    """
    from gateway.app.definitions import load_definitions

    plans = list(load_definitions(place.home).plans)
    if as_json:
        print_json(msgspec.to_builtins(plans))
        return
    print_table(
        [(one.id, one.scope, len(one.steps), one.title["en"], one.title["zh"]) for one in plans],
        ("PLAN", "FOR A", "STEPS", "TITLE", "名称"),
    )


def _start(place: Place, plan_id: str, as_json: bool, **where: Any) -> None:
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        run = act("plan.start", plan=plan_id, **{name: value for name, value in where.items() if value is not None})
    if as_json:
        print_json(run)
    else:
        click.echo(f"{run['id']} {run['state']}")


site_option = click.option("--site", required=True, help="The site it is for.")
device_option = click.option("--device", help="The device it is for, where it is for one.")
zone_option = click.option("--zone", help="The zone or building it is for.")


@plan.command()
@with_place
@click.argument("plan_id", metavar="PLAN")
@site_option
@device_option
@zone_option
@json_option
def start(place: Place, plan_id: str, site: str, device: str | None, zone: str | None, as_json: bool) -> None:
    """Start PLAN in earnest: its automatic steps command doors, lifts and barriers at once.

    \b
    Example:
      gatehouse plan start fire --site s1 --zone building-1
    """
    _start(place, plan_id, as_json, site=site, device=device, zone=zone)


@plan.command()
@with_place
@click.argument("plan_id", metavar="PLAN")
@site_option
@device_option
@zone_option
@json_option
def drill(place: Place, plan_id: str, site: str, device: str | None, zone: str | None, as_json: bool) -> None:
    """Drill PLAN: the same steps and clocks, and no command leaves. The real one ends the drill.

    \b
    Example:
      gatehouse plan drill fire --site s1 --zone building-1
    """
    _start(place, plan_id, as_json, site=site, device=device, zone=zone, drill=True)


@plan.command()
@with_place
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many, newest first.")
@json_option
def runs(place: Place, limit: int, as_json: bool) -> None:
    """List the newest runs and drills.

    \b
    Example:
      gatehouse plan runs
    """
    from gateway.app.reading import plan_runs

    found = plan_runs(place.home, place.settings, limit)
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    rows = [
        (
            one.id, one.plan, "drill" if one.drill else "real", one.state, one.place,
            datetime.fromtimestamp(one.started_at).strftime("%m-%d %H:%M"),
            f"{sum(step.state in ('done', 'failed', 'skipped') for step in one.steps)}/{len(one.steps)}",
            "-" if one.score is None else f"{one.score:g} %",
        )
        for one in found
    ]  # fmt: skip
    print_table(rows, ("RUN", "PLAN", "KIND", "STATE", "FOR", "STARTED", "STEPS", "IN TIME"))


@plan.command()
@with_place
@click.argument("run")
@click.argument("step_id", metavar="STEP")
@click.option("--state", type=click.Choice(["done", "failed", "skipped"]), default="done", show_default=True)
@click.option("--note", help="What happened; why, where it is skipped.")
@click.option("--answer", help="The answer to the step's question, by its id.")
def step(place: Place, run: str, step_id: str, state: str, note: str | None, answer: str | None) -> None:
    """Report how STEP of RUN ended.

    \b
    Example:
      gatehouse plan step pl-0000001f-01 confirm --answer false-alarm
    """
    from gateway.app.acting import acting

    told = {name: value for name, value in (("note", note), ("answer", answer)) if value is not None}
    with acting(place.home, place.settings) as act:
        after = act("plan.step", run=run, step=step_id, state=state, **told)
    for one in after["steps"]:
        click.echo(f"{one['state']:9}{one['id']}")


@plan.command()
@with_place
@click.argument("run")
@click.argument("step_id", metavar="STEP")
def retry(place: Place, run: str, step_id: str) -> None:
    """Do a failed automatic STEP of RUN again, for the devices that did not do it.

    \b
    Example:
      gatehouse plan retry pl-0000001f-01 release-doors
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        after = act("plan.retry", run=run, step=step_id)
    click.echo(next(one["state"] for one in after["steps"] if one["id"] == step_id))


@plan.command()
@with_place
@click.argument("run")
def approve(place: Place, run: str) -> None:
    """Confirm, as the second person, the start of a plan that waits for one.

    \b
    Example:
      gatehouse plan approve pl-0000001f-01
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        after = act("plan.approve", run=run)
    click.echo(f"{after['id']} {after['state']}")


@plan.command()
@with_place
@click.argument("run")
@click.option("--reason", required=True, help="Why.")
def stop(place: Place, run: str, reason: str) -> None:
    """Stop RUN as it stands. Commands that were sent stay sent.

    \b
    Example:
      gatehouse plan stop pl-0000001f-01 --reason "false alarm"
    """
    from gateway.app.acting import acting

    with acting(place.home, place.settings) as act:
        after = act("plan.stop", run=run, reason=reason)
    click.echo(f"{after['id']} {after['state']}")


@plan.command()
@with_place
@click.argument("run")
@click.option("--html", is_flag=True, help="A page that prints, on standard output.")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@json_option
def report(place: Place, run: str, html: bool, language: str, as_json: bool) -> None:
    """Print the after-action report of RUN.

    \b
    Example:
      gatehouse plan report pl-0000001f-01 --html --language zh > report.html
    """
    from gateway.app.reading import plan_run
    from gateway.services.plan_report import report_of
    from gateway.services.plan_report_html import CSS, report_page

    found, commands, about = plan_run(place.home, place.settings, run)
    made = report_of(found, commands)
    if as_json:
        print_json(made)
        return
    if html:
        names = {ident: (name or {}).get(language) or ident for ident, name in about["names"].items()}
        click.echo(report_page(made, language, about["timezone"], names, f"<style>{CSS}</style>"), nl=False)
        return
    click.echo(f"{'DRILL ' if made['drill'] else ''}{made['title'][language]} · {made['state']}")
    if made["score"] is not None:
        click.echo(f"done in time: {made['score']:g} %")
    rows = [
        (one["state"] if not one["not_needed"] else "not needed", one["id"], _span(one["within"]), _span(one["took"]),
         one["done_by"], one["note"])
        for one in made["steps"]
    ]  # fmt: skip
    print_table(rows, ("STATE", "STEP", "ALLOWED", "NEEDED", "BY", "NOTE"))


def _span(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"
