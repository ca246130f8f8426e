"""The documentation is true: everything is documented, generated pages are fresh, and the examples run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.app.definitions import load_definitions
from gateway.catalogue import load_catalogue
from gateway.cli.main import command_tree
from gateway.config import Home, Settings, load_settings
from gateway.services.command_words import WORDS
from gateway.services.decision_reasons import REASONS
from gateway.services.pass_csv import COLUMNS, rows_of
from gateway.services.plan_reading import PLAN_WORDS, STEP_WORDS, PlanBookError
from gateway.services.safety_reading import FEEDBACK_WORDS, INTERLOCK_WORDS
from gateway.services.schedule_reading import COUNT_WORDS, POINT_WORDS, read_schedules
from gateway.services.schedule_reading import WORDS as WORDS_OF_SCHEDULES
from gateway.services.team_reading import TeamBookError
from tests.support.gateway import RealGateway

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def test_every_setting_is_documented_with_its_default() -> None:
    text = (DOCS / "settings.md").read_text("utf-8")
    for section in msgspec.structs.fields(Settings):
        part = text.split(f"## `{section.name}`")[1].split("\n## ")[0]
        for field in msgspec.structs.fields(section.type):
            rows = [line for line in part.splitlines() if line.startswith("|")]
            row = next((line for line in rows if f"`{field.name}`" in line.split("|")[1]), None)
            assert row, f"{section.name}.{field.name} is not in docs/settings.md"
            default = field.default
            shown = "none" if default == "" else f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
            assert shown in row, f"{section.name}.{field.name}: the default is {shown}, the docs say: {row}"


def test_the_example_of_settings_is_accepted(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n# example: gatehouse.yaml\n(.*?)```", (DOCS / "settings.md").read_text("utf-8"), re.S)
    assert block
    home = Home(tmp_path)
    home.config.write_text(block.group(1), "utf-8")
    assert load_settings(home, {}).api.host == yaml.safe_load(block.group(1))["api"]["host"]


def test_every_kind_and_field_is_documented() -> None:
    text = (DOCS / "kinds.md").read_text("utf-8")
    for kind in load_catalogue().kinds.values():
        part = text.split(f"## `{kind.name}`:")[1].split("\n## ")[0]
        for field in kind.fields:
            assert f"| `{field}` |" in part, f"{kind.name}.{field}"


def test_every_command_has_help_with_an_example() -> None:
    for path, command in command_tree():
        if not getattr(command, "commands", None):
            assert "Example:" in (command.help or ""), f"{path} --help has no example"


def test_the_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/reference", "--check"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*DOCS.rglob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_two_readmes_say_the_same() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))

    def shape(text: str) -> list[str]:
        marks = re.findall(r"^(#+ |```|\| `gatehouse|\| \*\*|\d\. \*\*|- )", text, re.M)
        return [mark.strip() for mark in marks]

    def code(text: str) -> list[str]:
        return [re.sub(r"#.*", "", block).split() for block in re.findall(r"```\n(.*?)```", text, re.S)]  # type: ignore[misc]

    def targets(text: str) -> list[str]:
        return sorted(set(re.findall(r"\]\((docs/[^)]+\.md)\)", text)))

    assert shape(english) == shape(chinese)
    assert code(english) == code(chinese)
    assert targets(english) == targets(chinese)


@pytest.mark.slow
@pytest.mark.mosquitto
def test_the_first_device_of_the_readme_raises_its_alert(tmp_path: Path) -> None:
    """The block as it stands, on ports of the test's own."""
    if shutil.which("mosquitto_pub") is None:
        reason = "mosquitto_pub is not installed: `apt-get install mosquitto-clients`"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    block = re.search(r"<!-- example: first-device -->\n```\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert block
    gateway = RealGateway(tmp_path / "site")
    script = block.group(1).replace("gatehouse run --home ./site &", "")
    script = script.replace("-p 1883", f"-p {gateway.mqtt_port}").replace("./site", str(tmp_path / "site"))
    shim = tmp_path / "bin" / "gatehouse"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m gateway.cli "$@"\n')
    shim.chmod(0o755)
    with gateway:
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / "door-1.json").read_text())["username"] == "door-1"
        found = gateway.wait_for("/alerts", lambda alerts: bool(alerts["items"]), state="open")
        assert [alert["rule"] for alert in found["items"]] == ["access.forced-door"]


def test_the_plan_of_the_docs_loads_beside_the_shipped_ones_which_are_all_named(tmp_path: Path) -> None:
    text = (DOCS / "plans.md").read_text("utf-8")
    block = re.search(r"<!-- example: plan -->\n```yaml\n(.*?)```", text, re.S)
    assert block
    home = Home(tmp_path)
    home.prepare()
    (home.plans / "site.yaml").write_text(block.group(1), "utf-8")
    plans = {plan.id: plan for plan in load_definitions(home).plans}
    assert "water-pipe" in plans
    for ident, plan in plans.items():
        if ident != "water-pipe":
            row = next((line for line in text.splitlines() if line.startswith(f"| `{ident}` |")), None)
            assert row, f"{ident} is not in docs/plans.md"
            assert f" {len(plan.steps)}: " in row, row


def test_a_plan_with_a_mistake_is_refused_with_its_line(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    (home.plans / "site.yaml").write_text("id: x\ntitle: {en: X, zh: X}\nstepps: []\n", "utf-8")
    with pytest.raises(PlanBookError, match=r"site\.yaml:3"):
        load_definitions(home)


def test_every_command_word_is_documented_with_its_role_and_conditions() -> None:
    text = (DOCS / "plans.md").read_text("utf-8").split("## Command words")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    rows = {line.split("`")[1]: [cell.strip() for cell in line.split("|")] for line in lines}
    assert set(rows) == set(WORDS)
    for name, word in WORDS.items():
        shown = [str(word.role), "yes" if word.weighty else "", "yes" if word.opens else ""]
        assert rows[name][2:7] == [*shown, f"{word.answered_within:g} s", "yes" if word.releases else ""], name


def test_the_interlocks_of_the_docs_load_beside_the_shipped_ones_and_every_word_is_told(tmp_path: Path) -> None:
    text = (DOCS / "plans.md").read_text("utf-8")
    block = re.search(r"<!-- example: interlocks -->\n```yaml\n(.*?)```", text, re.S)
    assert block
    home = Home(tmp_path)
    home.prepare()
    (home.commands / "site.yaml").write_text(block.group(1), "utf-8")
    assert "pump-needs-water" in {one.id for one in load_definitions(home).safety.interlocks}
    for section, words in (("interlocks", INTERLOCK_WORDS), ("feedback", FEEDBACK_WORDS)):
        for word in words:
            assert f"`{section}.{word}`" in text, word


def test_every_word_of_a_plan_is_documented() -> None:
    text = (DOCS / "plans.md").read_text("utf-8")
    for word in PLAN_WORDS:
        assert f"`{word}`" in text, word
    for word in STEP_WORDS:
        assert f"`steps.{word}`" in text, word


def test_the_architecture_names_files_that_are_there() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    for name in re.findall(r"`((?:gateway|rules|adapters|scripts|simulators)/[\w/.]*)`", text):
        assert (ROOT / name).exists(), name


def test_the_teams_of_the_docs_are_taken_and_replace_the_shipped_ones(tmp_path: Path) -> None:
    text = (DOCS / "work-orders.md").read_text("utf-8")
    block = re.search(r"<!-- example: teams -->\n```yaml\n(.*?)```", text, re.S)
    assert block
    home = Home(tmp_path)
    home.prepare()
    shipped = len(load_definitions(home).teams)
    home.teams.write_text(block.group(1), "utf-8")
    teams = load_definitions(home).teams
    plumbing = teams.get("plumbing")
    assert plumbing is not None and len(teams) == shipped
    assert (plumbing.dispatch, plumbing.hours.start, plumbing.members[0].zones) == ("auto", 30_600.0, ("b1", "b2"))
    home.teams.write_text("teams:\n  - id: x\n    dispach: auto\n    hours: {from: '9', to: '18:00'}\n", "utf-8")
    with pytest.raises(TeamBookError, match=r"teams\.yaml:3.*dispatch(.|\n)*teams\.yaml:4"):
        load_definitions(home)


def test_the_schedules_of_the_docs_and_of_the_demo_are_taken_and_every_word_is_told() -> None:
    text = (DOCS / "schedules.md").read_text("utf-8")
    block = re.search(r"<!-- example: schedules -->\n```yaml\n(.*?)```", text, re.S)
    assert block
    assert len(read_schedules({"docs": block.group(1)})) == 5
    demo = (ROOT / "gateway" / "app" / "demo_schedules.yaml").read_text("utf-8")
    assert {one.does for one in read_schedules({"demo": demo})} == {"maintenance", "patrol", "drill"}
    for word in (*WORDS_OF_SCHEDULES, *COUNT_WORDS, *POINT_WORDS):
        assert f"`{word}`" in text or f"{word}:" in text, word


def test_the_chains_and_channels_of_the_docs_are_taken_and_every_word_is_documented(tmp_path: Path) -> None:
    from gateway.app.channels import load_alarms
    from gateway.notify.channels import TYPES
    from gateway.services.chain_reading import CHAIN_WORDS, LEVEL_WORDS, TARGET_WORDS

    text = (DOCS / "notifications.md").read_text("utf-8")
    home = Home(tmp_path)
    home.prepare()
    for name in ("channels", "escalation"):
        block = re.search(rf"```yaml\n# example: {name}.yaml\n(.*?)```", text, re.S)
        assert block
        (tmp_path / f"{name}.yaml").write_text(block.group(1), "utf-8")
    alarms = load_alarms(home)
    assert list(alarms.book.chains) == ["lifts-at-night", "rest"]
    for word in set(CHAIN_WORDS) - {"id", "title", "levels"}:
        assert f"`{word}`" in text, word
    for word in LEVEL_WORDS:
        assert f"`levels.{word}`" in text, word
    for word in TARGET_WORDS:
        assert word in text, word
    for name, kind in TYPES.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        assert all(f"`{word}`" in row for word in kind.words if word != "url" or name not in ("wecom", "dingtalk")), (
            name
        )


def test_every_reason_of_a_decision_and_every_column_of_the_csv_is_documented() -> None:
    text = (DOCS / "passes.md").read_text("utf-8")
    for reason in REASONS:
        assert f"`{reason}`" in text, reason
    block = re.search(r"```\n(kind,.*?)```", text, re.S)
    assert block and block.group(1).splitlines()[0] == ",".join(COLUMNS)
    assert rows_of(block.group(1))[0]["household"] == "3-501"
