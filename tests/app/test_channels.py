"""`channels.yaml` and `escalation.yaml`: read with every mistake named, and no secret shown anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.app.channels import load_alarms, read_channels
from gateway.config import Home
from gateway.services.chain_reading import EscalationError
from tests.cli.test_commands import gatehouse

GOOD = """
channels:
  - {id: desk, type: wecom, key: 0123456789-wecom}
  - {id: ding, type: dingtalk, token: 0123456789-ding, secret: SEC-0123456789}
  - {id: lark, type: feishu, token: 0123456789-feishu}
  - id: mail
    type: email
    host: smtp.example.com
    sender: gate@example.com
    user: gate
    password: {file: mail-password}
  - id: sms
    type: sms
    language: en
    url: https://sms.example.com/send?key=0123456789-sms
    headers: {Authorization: Bearer 0123456789-bearer}
    body: {to: "{phone}", text: "{title}"}
    success: {field: code, equals: 0}
  - id: hook
    type: webhook
    url: https://orders.example.com/0123456789-hook
    secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODk=
  - {id: pager, type: apprise, url: "ntfys://0123456789-ntfy"}
"""
SECRETS = ("0123456789", "swordfish")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    (home.secrets / "mail-password").write_text("swordfish\n")
    return home


def test_channels_are_read_with_their_secrets_from_files(home: Home) -> None:
    home.channels.write_text(GOOD)
    channels = {channel.id: channel for channel in read_channels(home)}
    assert list(channels) == ["desk", "ding", "lark", "mail", "sms", "hook", "pager"]
    assert channels["mail"].options["password"] == "swordfish"
    assert [channel.needs for channel in channels.values()] == ["", "", "", "email", "phone", "", ""]


def test_no_secret_is_shown_by_any_command(home: Home) -> None:
    home.channels.write_text(GOOD)
    shows: tuple[tuple[str, ...], ...] = (
        ("config", "show"), ("config", "show", "--json"), ("notify", "channels"), ("notify", "channels", "--json"),
    )  # fmt: skip
    for words in shows:
        shown = gatehouse(home.path, *words)
        assert shown.exit_code == 0, shown.stderr
        assert "desk" in shown.stdout
        for secret in SECRETS:
            assert secret not in shown.stdout, words
    assert json.loads(gatehouse(home.path, "config", "show", "--json").stdout)["channels"][0]["key"] == "***"


def test_a_home_without_files_has_the_shipped_chains_and_no_channel(home: Home) -> None:
    alarms = load_alarms(home)
    assert list(alarms.book.chains) == ["critical", "high", "medium"] and alarms.channels == ()


def test_the_sites_own_chains_replace_the_shipped_ones_and_may_name_its_channels(home: Home) -> None:
    home.channels.write_text(GOOD)
    home.escalation.write_text("chains: [{id: own, levels: [{after: 0s, tell: [everyone], by: [sms, page]}]}]")
    assert load_alarms(home).book.chains["own"].levels[0].by == ("sms",)
    home.channels.unlink()
    refused = gatehouse(home.path, "config", "check")
    assert refused.exit_code == 2 and "there is no channel 'sms'" in refused.stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- {id: x, type: wecomm, key: k}", "2:17: a type of channel is never 'wecomm'; did you mean 'wecom'?"),
        ("- {id: x, type: wecom}", "2:3: a channel of type wecom needs 'key'"),
        ("- {type: wecom, key: k}", "needs 'id'"),
        ("- {id: x, type: wecom, kee: k, key: k}", "did you mean 'key'?"),
        ("- {id: page, type: wecom, key: k}", "'page' is the control room itself"),
        ("- {id: x, type: wecom, key: k}\n- {id: x, type: wecom, key: k}", "two channels are called 'x'"),
        ("- {id: x, type: webhook, url: https://a.b, secret: short}", "24 bytes at least"),
        ("- {id: x, type: webhook, url: a.b/c, secret: 0123456789012345678901234}", "a URL begins with https://"),
        ("- {id: x, type: sms, url: https://a.b, body: {to: nobody}}", "the body names {phone}"),
        ("- {id: x, type: sms, url: https://a.b, body: text}", "body is names with values"),
        ("- {id: x, type: apprise, url: json://127.0.0.1}", "this scheme posts to any URL; use the type webhook"),
        ("- {id: x, type: email, host: a, sender: b, port: 0}", "port is a whole number from 1 to 65535"),
        ("- {id: x, type: email, host: a, sender: b, tls: sll}", "did you mean 'ssl'?"),
        ("- {id: x, type: email, host: a, sender: b, password: {file: none-such}}", "the secret cannot be read"),
        ("- {id: x, type: email, host: a, sender: b, password: {file: ../gatehouse.yaml}}", "outside of secrets/"),
        ("- {id: x, type: wecom, key: k, language: fr}", "language is never 'fr'"),
    ],
)
def test_a_mistake_in_a_channel_is_named(home: Home, text: str, says: str) -> None:
    home.channels.write_text(f"channels:\n{text}\n")
    with pytest.raises(EscalationError) as refused:
        read_channels(home)
    assert any(says in str(problem) for problem in refused.value.problems), refused.value.message
    assert str(home.channels) in refused.value.message


def test_a_test_without_a_gateway_goes_straight_to_the_channel(home: Home) -> None:
    from tests.notify.servers import http_server

    home.config.write_text("notify: {allow: 127.0.0.1}\n")
    assert "there are no channels" in gatehouse(home.path, "notify", "test").stderr
    with http_server(answer=b'{"errcode": 0}') as server:
        home.channels.write_text(f"channels: [{{id: desk, type: wecom, key: secret-key-1, url: {server.url}}}]")
        done = gatehouse(home.path, "notify", "test")
        assert (done.exit_code, done.stdout) == (0, "desk: sent\n"), done.stderr
        assert "[测试]" in server.posts[0].json["text"]["content"]
        server.answer = b'{"errcode": 93000, "errmsg": "invalid webhook url"}'
        refused = gatehouse(home.path, "notify", "test", "--channel", "desk")
        assert refused.exit_code == 1 and "93000" in refused.stdout and "secret-key-1" not in refused.stdout
    assert gatehouse(home.path, "notify", "test", "--channel", "smoke").stderr == (
        "gatehouse notify test: no channel 'smoke'\n"
    )
    home.config.write_text("")
    blocked = gatehouse(home.path, "notify", "test")
    assert blocked.exit_code == 1 and "notify.allow" in blocked.stdout


def test_messages_are_listed(home: Home) -> None:
    assert gatehouse(home.path, "device", "add", "--site", "s1", "--id", "door-1").exit_code == 0
    assert gatehouse(home.path, "notify", "list").stdout.startswith("ID")
    assert gatehouse(home.path, "notify", "list", "--json", "--unsent").stdout.strip() == "[]"
    missing = gatehouse(home.path, "notify", "retry", "no-1")
    assert missing.exit_code == 1 and missing.stderr == "gatehouse notify retry: no notification 'no-1'\n"
