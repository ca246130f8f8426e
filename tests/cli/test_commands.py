"""Every command as a person meets it: what it prints, how it fails, and with which exit code."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import assemble


def gatehouse(home: Path, *words: str, stdin: str | None = None) -> Result:
    """Runs the command in this process, on `home`."""
    runner = CliRunner()
    return runner.invoke(assemble(), ["--home", str(home), *words], input=stdin, prog_name="gatehouse")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_device_is_added_listed_shown_disabled_and_enabled(home: Path) -> None:
    added = gatehouse(home, "device", "add", "--site", "s1", "--id", "door-1", "--adapter", "native", "--name", "Gate")
    assert added.exit_code == 0, added.stderr
    credential = json.loads(added.stdout)
    assert credential["username"] == "door-1"
    assert len(credential["password"]) >= 32
    assert credential["publish"] == [f"gatehouse/v1/s1/door-1/{name}" for name in ("events", "availability", "results")]
    listed = json.loads(gatehouse(home, "device", "list", "--json").stdout)
    assert [(item["id"], item["adapter"], item["enabled"]) for item in listed] == [("door-1", "cloudevents", True)]
    assert credential["password"] not in gatehouse(home, "device", "show", "door-1").stdout
    assert gatehouse(home, "device", "disable", "door-1").stdout == "door-1 is disabled\n"
    assert "disabled" in gatehouse(home, "device", "list").stdout
    assert gatehouse(home, "device", "enable", "door-1").exit_code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--id", "a/b"], "gatehouse device add: id: 'a/b' is no id: use 1 to 64 letters"),
        (["--id", "x" * 65], "is no id: use 1 to 64 letters"),
        (["--id", "ok", "--adapter", "modbuss"], "adapter: 'modbuss' is not known; one of cloudevents,"),
        (["--id", "ok", "--serial", "a+b"], "external_id: a serial stands in MQTT topics"),
        (["--id", "ok", "--setting", "loop"], "--setting 'loop': write KEY=VALUE"),
        (["--id", "ok", "--setting", "x=1", "--type", "t" * 3000], ""),
    ],
)
def test_a_wrong_device_is_refused_in_one_line(home: Path, words: list[str], says: str) -> None:
    result = gatehouse(home, "device", "add", "--site", "s1", *words)
    if says:
        assert result.exit_code in (1, 2)
        assert says in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1
        assert result.stdout == ""


def test_the_same_device_twice_is_a_conflict(home: Path) -> None:
    words = ("device", "add", "--site", "s1", "--id", "door-1")
    assert gatehouse(home, *words).exit_code == 0
    again = gatehouse(home, *words)
    assert again.exit_code == 1
    assert again.stderr.startswith("gatehouse device add: device 'door-1' exists already")


def test_a_token_is_printed_alone_and_its_hash_is_all_that_is_kept(home: Path) -> None:
    created = gatehouse(home, "token", "create", "--name", "portal", "--role", "viewer")
    token = created.stdout.strip()
    assert created.stdout == f"{token}\n"
    assert token.startswith("gh_")
    listed = gatehouse(home, "token", "list", "--json").stdout
    assert json.loads(listed)[0]["name"] == "portal"
    for file in home.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file
    assert gatehouse(home, "token", "revoke", "portal").stdout == "portal is revoked\n"
    assert gatehouse(home, "token", "revoke", "portal").exit_code == 1


def test_a_password_comes_by_standard_input_and_is_not_kept(home: Path) -> None:
    short = gatehouse(home, "user", "add", "anna", "--role", "operator", "--password-stdin", stdin="short\n")
    assert short.exit_code == 2
    assert "fewer than 10 characters" in short.stderr
    secret = "correct horse battery"
    done = gatehouse(home, "user", "add", "anna", "--role", "operator", "--password-stdin", stdin=secret + "\n")
    assert done.stdout == "anna may sign in as operator\n"
    for file in home.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


def test_secrets_are_readable_by_their_owner_alone(home: Path) -> None:
    gatehouse(home, "device", "add", "--site", "s1", "--id", "d1")
    for file in [home, home / "data", home / "secrets", home / "broker" / "users.json"]:
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("api:\n  port: many\n", "gatehouse.yaml:2: api.port: 'many' is not valid; expected a whole number"),
        ("api:\n  prot: 80\n", "gatehouse.yaml:2: api.prot: 'prot' is not valid; expected 'port'"),
        ("mqqt:\n", "gatehouse.yaml:1: mqqt: 'mqqt' is not valid; expected 'mqtt'"),
        ("mqtt:\n  sync: often\n", "gatehouse.yaml:2: mqtt.sync: 'often' is not valid; expected 'interval'"),
        ("api:\n  tls_cert: x\n", "both api.tls_cert and api.tls_key, or neither"),
        ("a: [1\n", "valid YAML"),
        ("!!python/object/apply:os.system ['true']", "valid YAML"),
    ],
)
def test_fault_088_a_wrong_settings_file_is_refused_with_its_line(home: Path, text: str, says: str) -> None:
    home.mkdir()
    (home / "gatehouse.yaml").write_text(text)
    for words in (["config", "check"], ["run"]):
        result = gatehouse(home, *words)
        assert result.exit_code == 2, result.stdout
        assert says in result.stderr
        assert "Traceback" not in result.stderr


def test_config_show_has_no_secrets(home: Path) -> None:
    shown = json.loads(gatehouse(home, "config", "show", "--json").stdout)
    assert shown["api"]["port"] == 8080
    assert not [key for section in shown.values() for key in section if "password" in key and key != "password_file"]


def test_rules_check_and_test_of_the_shipped_packs(home: Path) -> None:
    checked = gatehouse(home, "rules", "check")
    assert checked.exit_code == 0, checked.stderr
    assert checked.stdout.endswith(" 0 problems\n")
    tested = json.loads(gatehouse(home, "rules", "test", "--json").stdout)
    assert tested["passed"]
    assert len(tested["results"]) >= 32


def test_rules_check_names_file_line_and_suggestion(home: Path, tmp_path: Path) -> None:
    pack = tmp_path / "site.yaml"
    pack.write_text(
        '- id: a.b\n  title: {en: "x", zh: "x"}\n  on: meter.reading\n  when: volage > 250\n  severity: low\n'
    )
    result = gatehouse(home, "rules", "check", str(pack))
    assert result.exit_code == 2
    assert f"{pack}:4:" in result.stderr
    assert "did you mean 'voltage_v'?" in result.stderr


def test_the_ledger_of_a_new_home_is_empty_and_whole(home: Path) -> None:
    early = gatehouse(home, "ledger")
    assert early.exit_code == 1
    assert "holds no gateway yet: start it with 'gatehouse run" in early.stderr
    gatehouse(home, "device", "add", "--site", "s1", "--id", "d1")
    assert json.loads(gatehouse(home, "ledger", "--json").stdout) == {"received": 0, "fates": {}}


def test_audit_verify_finds_a_changed_entry(home: Path) -> None:
    import sqlite3

    gatehouse(home, "device", "add", "--site", "s1", "--id", "d1")
    assert "the chain is whole" in gatehouse(home, "audit", "verify").stdout
    with sqlite3.connect(home / "data" / "gatehouse.db") as connection:
        connection.execute("update audit set actor = 'nobody' where id = 1")
    broken = gatehouse(home, "audit", "verify")
    assert broken.exit_code == 1
    assert "broken at entry 1" in broken.stdout


def test_adapter_try_shows_events_or_the_reason(home: Path, tmp_path: Path) -> None:
    message = tmp_path / "message.json"
    message.write_text('{"Time":"2026-01-01T00:00:00","ENERGY":{"Total":1.5,"Power":56,"Voltage":234}}')
    good = gatehouse(home, "adapter", "try", "tasmota", "--topic", "tele/plug1/SENSOR", str(message))
    assert good.exit_code == 0, good.stderr
    assert '"power_w": 56' in good.stdout
    message.write_text("{")
    assert gatehouse(home, "adapter", "try", "tasmota", "--topic", "tele/plug1/SENSOR", str(message)).exit_code == 1
    assert gatehouse(home, "adapter", "try", "nothing", "--topic", "x", str(message)).stderr.startswith(
        "gatehouse adapter try: no adapter 'nothing'"
    )


def test_a_home_that_cannot_be_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    result = gatehouse(file / "home", "device", "add", "--site", "s1", "--id", "d1")
    assert result.exit_code == 2
    assert "a folder this user may write" in result.stderr


@pytest.mark.parametrize(
    "words", [["device"], ["device", "add"], ["nonsense"], ["token", "create", "--role", "boss", "--name", "x"]]
)
def test_wrong_usage_exits_with_two(home: Path, words: list[str]) -> None:
    assert gatehouse(home, *words).exit_code == 2
