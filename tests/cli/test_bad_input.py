"""Wrong input at the command line: one line on standard error that says what, where and what to do."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import assemble

LONG = "x" * 5000


def gatehouse(home: Path, *words: str) -> Result:
    return CliRunner().invoke(assemble(), ["--home", str(home), *words], prog_name="gatehouse")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (
            ["device", "add", "--site", "s1"],
            2,
            "gatehouse device add: Missing option '--id' (see 'gatehouse",
        ),
        (["nonsense"], 2, "No such command 'nonsense'"),
        (["device", "nonsense"], 2, "gatehouse device: No such command 'nonsense'"),
        (["ledger", "--nope"], 2, "gatehouse ledger: No such option '--nope'"),
        (["ledger", "--api-port", "99999"], 2, "is not in the range"),
        (["token", "create", "--name", "a", "--role", "boss"], 2, "'boss' is not one of 'viewer'"),
        (["token", "create", "--name", "a", "--site", "a/b"], 1, "sites: a list of site ids"),
        (["token", "create", "--name", "a\nb"], 1, "printable"),
        (["token", "create", "--name", "a", "--days", "1e300"], 1, "expires_at: a time before the year 10000"),
        (["token", "create", "--name", "a", "--days", "nan"], 1, "expires_at: a time before the year 10000"),
        (["device", "add", "--site", "s", "--id", "d", "--name", LONG], 1, "name.en: 1 to 128 characters, not 5000"),
        (["device", "add", "--site", "s", "--id", "d", "--type", LONG], 1, "type: 1 to 128 characters"),
        (["device", "add", "--site", "s", "--id", "门一"], 1, "'门一' is no id"),
        (["device", "add", "--site", "s", "--id", "gatehouse-core"], 1, "the gateway's own"),
        (["device", "add", "--site", "s", "--id", "d", "--setting", 'topics={"publish":["#"]}'], 1, "of other devices"),
        (["device", "add", "--site", "s", "--id", "d", "--setting", "topics=5"], 1, "settings.topics"),
        (["demo", "--speed", "0"], 2, "is not in the range"),
        (["demo", "--scenario", "nope"], 2, "gatehouse demo: the scenario 'nope' cannot be played"),
        (["run", "--within", "-1"], 2, "is not in the range"),
        (["run", "--api-port", "18999", "--mqtt-port", "18999"], 2, "another port than --api-port has"),
        (["rules", "check", "/nowhere"], 2, "Path '/nowhere' does not exist"),
        (["rules", "check", "/proc/self/fd"], 2, "holds no rule pack"),
        (["adapter", "new", "my_meter", "--directory", "/proc/1"], 1, "gatehouse adapter new: /proc/1/my_meter:"),
    ],
)
def test_wrong_input_is_one_line_with_the_right_exit_code(home: Path, words: list[str], code: int, says: str) -> None:
    result = gatehouse(home, *words)
    assert result.exit_code == code, result.output
    assert says in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    assert "Traceback" not in result.output


def test_a_home_whose_name_is_too_long_is_one_line() -> None:
    result = gatehouse(Path("/tmp") / LONG, "ledger")
    assert result.exit_code == 1
    assert "File name too long" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def _overwrite(home: Path) -> None:
    (home / "data" / "gatehouse.db").write_bytes(os.urandom(8192))


def _pages(home: Path) -> None:
    file = home / "data" / "gatehouse.db"
    data = bytearray(file.read_bytes())
    for start in range(4096 * 2, len(data), 4096):
        data[start : start + 64] = os.urandom(64)
    file.write_bytes(data)


def _half(home: Path) -> None:
    (home / "secrets" / "core-mqtt.json").write_text('{"half')


@pytest.mark.parametrize("damage", [_overwrite, _pages])
def test_fault_028_a_damaged_database_is_said_in_one_line(home: Path, damage: Callable[[Path], None]) -> None:
    assert gatehouse(home, "device", "add", "--site", "s1", "--id", "d1").exit_code == 0
    for left in (home / "data").glob("*-wal"):
        left.unlink()
    damage(home)
    result = gatehouse(home, "device", "add", "--site", "s1", "--id", "d2")
    assert result.exit_code == 1
    assert "database" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr


def test_a_half_written_secret_is_named_and_ends_the_broker_for_good(home: Path) -> None:
    assert gatehouse(home, "device", "add", "--site", "s1", "--id", "d1").exit_code == 0
    (home / "secrets").mkdir(exist_ok=True)
    _half(home)
    result = gatehouse(home, "broker", "probe")
    assert result.exit_code == 2
    assert "core-mqtt.json" in result.stderr
    assert "delete the file, and a new secret is made" in result.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("store:\n  url: mysql://u:hunter22@x/y\n", "gatehouse.yaml:2: store.url: 'mysql://u:***@x/y' is not valid"),
        ("store:\n  event_days: -1\n", "gatehouse.yaml:2: store.event_days: -1"),
        ("api:\n  session_hours: .nan\n", "api.session_hours: nan"),
        ("api:\n  max_streams: 0\n", "api.max_streams: 0 is not valid; expected a number above 0"),
        ("site:\n  timezone: Mars/Olympus\n", "site.timezone: 'Mars/Olympus' is not valid; expected an IANA time zone"),
        ("mqtt:\n  password_file: /nowhere\n", "mqtt.password_file: '/nowhere' is not valid; expected a file"),
        ("api:\n  tls_cert: /nowhere\n  tls_key: /nowhere\n", "api.tls_cert: '/nowhere' is not valid; expected a file"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_check_and_by_run(home: Path, text: str, says: str) -> None:
    home.mkdir()
    (home / "gatehouse.yaml").write_text(text)
    for words in (["config", "check"], ["run"]):
        result = gatehouse(home, *words)
        assert result.exit_code == 2, result.output
        assert says in result.stderr
        assert "hunter22" not in result.output


def test_config_show_hides_the_password_of_a_database(home: Path) -> None:
    home.mkdir()
    (home / "gatehouse.yaml").write_text("store:\n  url: postgresql+psycopg://gate:hunter22@db/gatehouse\n")
    for words in (["config", "show"], ["config", "show", "--json"]):
        shown = gatehouse(home, *words)
        assert shown.exit_code == 0
        assert "hunter22" not in shown.output
        assert "postgresql+psycopg://gate:***@db/gatehouse" in shown.output


def test_a_port_in_use_is_named_before_anything_starts(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = gatehouse(home, "run", "--api-port", port)
    assert result.exit_code == 2
    assert f"--api-port: {port} is not valid; expected a free port" in result.stderr
    assert not list((home / "logs").iterdir())


def test_a_stopped_gateway_is_not_waited_for_and_says_nothing_of_a_broker(home: Path) -> None:
    added = gatehouse(home, "device", "add", "--site", "s1", "--id", "d1")
    assert added.exit_code == 0
    assert added.stderr == ""
    assert json.loads(added.stdout)["username"] == "d1"


def test_everything_the_command_writes_is_its_users_alone(home: Path) -> None:
    words = [sys.executable, "-m", "gateway.cli", "device", "add", "--home", str(home), "--site", "s1", "--id", "d1"]
    subprocess.run(words, check=True, capture_output=True)
    for file in [home, *home.rglob("*")]:
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file


def test_signing_in_and_links_are_in_the_audit_without_their_secrets(home: Path) -> None:
    link = gatehouse(home, "user", "link").stdout.strip()
    secret = link.split("token=")[1]
    import sqlite3

    with sqlite3.connect(home / "data" / "gatehouse.db") as database:
        rows = database.execute("select actor, action, target, detail from audit").fetchall()
    opened = [row for row in rows if row[1] == "session.open"]
    assert [(row[0], row[2]) for row in opened] == [("cli", "admin")]
    assert json.loads(opened[0][3])["kind"] == "link"
    assert secret not in str(rows)
    assert "hash" not in json.loads(opened[0][3])
