"""The site's files are taken while the core runs; a broken one is refused with every mistake, and what runs stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.app.channels import Alarms
from gateway.app.definitions import load_definitions
from gateway.app.files_watch import FilesWatch
from gateway.config import Home
from gateway.errors import GatehouseError, NotFound
from rules import shipped_packs
from tests.support.brokers import wait_until
from tests.support.gateway import RealGateway
from tests.support.lab import ADMIN, Lab

PACK = next(path.read_text("utf-8") for path in shipped_packs() if path.stem == "gateway")
PLAN = """
id: own-plan
title: {en: Own plan, zh: 自有预案}
scope: site
steps:
  - {id: look, title: {en: Look, zh: 查看}, role: guard, within: 5m}
"""
TEAMS = """
teams:
  - {id: gardeners, title: {en: Gardeners, zh: 绿化}, categories: [trees]}
"""
SCHEDULES = """
schedules:
  - {id: cut, site: s1, title: {en: Cut, zh: 修剪}, does: maintenance, at: "30 18 * * *"}
"""
INTERLOCKS = """
interlocks:
  - id: own-wind
    words: [raise]
    kind: environment.reading
    requires: temperature_c < 40
    blocked: {en: Too hot, zh: 过热}
    unknown: {en: No reading, zh: 无读数}
"""
CHANNELS = """
channels:
  - {id: hook, type: webhook, url: "https://example.org/x", secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=}
"""


class Site:
    """A lab whose core takes what the watch finds, at once."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / "home")
        self.home.prepare()
        self.lab = Lab(folder, pack=PACK)
        self.lab.act("site.put", id="s1", timezone="Asia/Shanghai")
        self.lab.device("door-1", type="door")
        self.taken: list[Alarms] = []
        self.now = 0.0
        self.watch = self.watching()

    def watching(self) -> FilesWatch:
        watch = FilesWatch(self.home, self, load_definitions(self.home, kept=True), self.taken.append)  # type: ignore[arg-type]
        watch.start()
        watch.stop()
        return watch

    # What the watch sees of a core.

    @property
    def files(self) -> Any:
        return self.lab.core.files

    @property
    def desk(self) -> Any:
        return self.lab.core.desk

    def submit(self, action: Any, report: Any) -> None:
        self.lab.core.submit(action, report)
        self.lab.turn()

    def saved(self, path: Path, text: str | None) -> None:
        """Somebody saves the file, or removes it, and the watch comes by."""
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8")
        for _ in range(2):
            self.now += 10.0
            self.watch.look(self.now)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.lab.close()


def test_a_plan_is_taken_while_the_core_runs_and_a_run_keeps_the_plan_it_began_with(site: Site) -> None:
    with pytest.raises(NotFound):
        site.lab.act("plan.start", plan="own-plan", site="s1")
    file = site.home.plans / "own.yaml"
    site.saved(file, PLAN)
    run = site.lab.act("plan.start", plan="own-plan", site="s1")
    assert [step["id"] for step in run["steps"]] == ["look"]
    site.saved(file, PLAN.replace("id: look", "id: listen").replace("en: Look", "en: Listen"))
    site.lab.crash()
    kept = site.desk.plans.running[run["id"]]
    assert [(step.id, step.title["en"]) for step in kept.steps] == [("look", "Look")]
    done = site.lab.act("plan.step", run=run["id"], step="look", state="done")
    assert done["state"] == "finished"


def test_a_broken_file_is_refused_with_every_mistake_and_what_ran_runs_on(site: Site) -> None:
    file = site.home.plans / "own.yaml"
    site.saved(file, PLAN)
    site.saved(file, PLAN.replace("role: guard, ", "").replace("scope: site", "scope: moon"))
    problems = site.files.refused["plans"]
    assert [(one["file"], one["line"]) for one in problems] == [("plans/own.yaml", 4), ("plans/own.yaml", 6)]
    assert site.lab.act("plan.start", plan="own-plan", site="s1")["plan"] == "own-plan"
    alert = site.lab.alert("gateway.files-refused")
    assert alert.active and "plans/own.yaml:4" in alert.reason["en"] and alert.scope == "gateway/plans"
    site.saved(file, PLAN)
    assert not site.lab.alert("gateway.files-refused").active
    assert "plans" not in site.files.refused


def test_teams_schedules_interlocks_chains_and_channels_are_taken_too(site: Site) -> None:
    with pytest.raises(GatehouseError):
        site.lab.act("schedule.run", schedule="cut")
    site.saved(site.home.teams, TEAMS)
    site.saved(site.home.schedules / "own.yaml", SCHEDULES)
    site.saved(site.home.commands / "own.yaml", INTERLOCKS)
    site.saved(site.home.channels, CHANNELS)
    assert "trees" in site.desk._common.teams.categories()
    assert site.lab.act("schedule.run", schedule="cut")["ran"] == 1
    site.lab.wait(1900, 60)  # half past six in Shanghai
    assert site.desk.planned.schedules.states["cut"].ran == 2
    assert "environment.reading" in site.desk._common.world.watched
    assert set(site.desk.duty.notifications.book.channels) == {"hook"} == {one.id for one in site.taken[0].channels}
    site.saved(site.home.schedules / "own.yaml", None)
    with pytest.raises(GatehouseError):
        site.lab.act("schedule.run", schedule="cut")
    site.saved(site.home.schedules / "own.yaml", SCHEDULES)
    assert site.lab.act("schedule.run", schedule="cut")["ran"] == 3, "it goes on where it stood"


def test_one_part_that_is_refused_keeps_no_other_from_being_taken(site: Site) -> None:
    site.saved(site.home.teams, "teams: [{id: A b}]")
    site.saved(site.home.plans / "own.yaml", PLAN)
    assert set(site.files.refused) == {"teams"}
    assert site.lab.act("plan.start", plan="own-plan", site="s1")


def test_a_start_with_files_broken_meanwhile_has_what_was_in_force_and_says_so(site: Site) -> None:
    file = site.home.plans / "own.yaml"
    site.saved(file, PLAN)
    file.write_text("steps: 3\n", encoding="utf-8")
    with pytest.raises(GatehouseError):
        load_definitions(site.home)
    assert "own-plan" in load_definitions(site.home, kept=True).plans.plans
    site.watch = site.watching()
    site.saved(file, "steps: 4\n")
    assert site.lab.alert("gateway.files-refused").active
    assert "own-plan" in load_definitions(site.home, kept=True).plans.plans, "what is kept was good"


def test_files_are_taken_by_the_gateway_alone(site: Site) -> None:
    for name in ("files.take", "files.refuse"):
        with pytest.raises(GatehouseError, match="by the gateway itself"):
            site.lab.act(name, actor=ADMIN, part="plans")


@pytest.mark.slow
def test_a_saved_plan_is_in_force_on_the_whole_product_and_survives_a_broken_one(tmp_path: Path) -> None:
    with RealGateway(tmp_path / "home") as gateway:
        file = gateway.home.plans / "own.yaml"
        file.write_text(PLAN, encoding="utf-8")

        def listed() -> bool:
            return "own-plan" in {one["id"] for one in gateway.get("/plans")["items"]}

        wait_until(listed, 60, "the plan is listed")
        gateway.add_device("door-1", type="door")

        def audited(action: str) -> bool:
            return action in {one["action"] for one in gateway.get("/audit")["items"]}

        wait_until(lambda: audited("files.take"), 60, "the core has taken it")
        run = gateway.post("/plans/own-plan/runs", {"site": "s1"}, expect=201)
        assert run["steps"][0]["id"] == "look"
        file.write_text("id: [", encoding="utf-8")
        gateway.wait_for(
            "/alerts", lambda page: "gateway.files-refused" in {one["rule"] for one in page["items"]}, within=60
        )
        for name in ("core", "api"):
            gateway.wait_back(name, gateway.kill(name))
        assert listed()
