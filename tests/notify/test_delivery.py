"""One attempt through each type of channel, against real servers; and where a webhook may not lead."""

from __future__ import annotations

import base64
import hashlib
import hmac
from email import message_from_bytes, policy
from typing import Any

import pytest

from gateway.model import Delivery, Notification, Recipient
from gateway.notify import Channel, Deliverer, Guard, SendFailed
from gateway.notify.webhook import key_of, signature
from tests.notify.servers import http_server, mail_server

NOW = 1_795_000_000.0
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
ANNA = Recipient(person="anna", name="Anna", address="13800001234")


def channel(kind: str, language: str = "zh", **options: Any) -> Channel:
    return Channel(id="c1", type=kind, language=language, options=options)


def message(**more: Any) -> Notification:
    return Notification(**{
        "id": "no-1", "key": "no-1", "site": "s1", "kind": "alert", "alert": "al-1", "severity": "critical",
        "title": {"en": "[CRITICAL] Lift 1: trapped", "zh": "[紧急] 1号梯 困人"},
        "text": {"en": "Place: B1", "zh": "位置: 1号楼"}, "people": ("anna",), "channels": ("c1",), "attempts": 1,
        "created_at": NOW, **more,
    })  # fmt: skip


def send(one: Channel, *, to: tuple[Recipient, ...] = (ANNA,), allow: tuple[str, ...] = ("127.0.0.1",)) -> None:
    Deliverer([one], Guard(allow), lambda: NOW).deliver(Delivery(notification=message(), channel="c1", to=to))


def test_a_webhook_is_a_cloud_event_that_the_receiver_can_verify() -> None:
    with http_server(behaviour=204) as server:
        send(channel("webhook", url=server.url + "?x=1", secret=SECRET))
    (post,) = server.posts
    event = post.json
    assert (event["specversion"], event["id"], event["source"]) == ("1.0", "no-1", "/gatehouse/s1")
    assert (event["type"], event["subject"]) == ("gatehouse.notification.alert", "al-1")
    assert event["data"]["title"]["zh"] == "[紧急] 1号梯 困人"
    assert post.path == "/hook?x=1"
    assert post.headers["content-type"].startswith("application/cloudevents+json")
    assert post.headers["webhook-id"] == post.headers["idempotency-key"] == "no-1"
    signed = f"no-1.{post.headers['webhook-timestamp']}.".encode() + post.body
    expected = hmac.new(b"0123456789abcdef0123456789abcdef", signed, hashlib.sha256).digest()
    assert post.headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["short", "whsec_****", "whsec_c2hvcnQ="])
def test_a_short_or_broken_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"24 bytes|not base64"):
        key_of(secret)


@pytest.mark.parametrize(("behaviour", "why"), [(500, "500"), (404, "404"), ("die", "127.0.0.1"), (301, "301")])
def test_whatever_is_not_taken_has_failed(behaviour: int | str, why: str) -> None:
    with http_server(behaviour=behaviour) as server, pytest.raises(SendFailed, match=why):
        send(channel("webhook", url=server.url, secret=SECRET))


def test_fault_090_a_redirect_is_not_followed() -> None:
    with http_server() as inner, http_server() as outer:
        outer.behaviour = inner.url
        with pytest.raises(SendFailed, match="302"):
            send(channel("webhook", url=outer.url, secret=SECRET))
        assert inner.posts == []


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://127.0.0.1/x", ["127.0.0.1"]),
        ("http://localhost/x", ["127.0.0.1"]),
        ("http://meta.test/latest", ["169.254.169.254"]),
        ("http://mapped.test/x", ["::ffff:127.0.0.1"]),
        ("http://six.test/x", ["::1"]),
        ("http://link.test/x", ["fe80::1%eth0"]),
        ("http://inner.test/x", ["10.1.2.3"]),
        ("http://unique.test/x", ["fd00::1"]),
        ("http://zero.test/x", ["0.0.0.0"]),
        ("http://shared.test/x", ["100.64.0.1"]),
        ("http://many.test/x", ["93.184.216.34", "192.168.1.1"]),
        ("http://cast.test/x", ["224.0.0.1"]),
    ],
)
def test_fault_090_a_webhook_never_leads_to_this_machine_or_its_networks(url: str, addresses: list[str]) -> None:
    guard = Guard((), lambda host, port: addresses)
    with pytest.raises(SendFailed, match=r"notify\.allow"):
        guard.check(url)


@pytest.mark.parametrize(
    "url", ["ftp://example.com/x", "http://user:pw@example.com/", "http:///x", "file:///etc/passwd", "http://[::1", "x"]
)
def test_fault_090_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(SendFailed):
        Guard((), lambda host, port: ["93.184.216.34"]).check(url)


def test_fault_090_what_the_site_allows_is_reached_and_nothing_beside_it() -> None:
    guard = Guard(("10.1.2.0/24", "orders.lan"), lambda host, port: {"a": ["10.1.2.3"], "b": ["10.1.3.3"]}.get(
        host, ["192.168.0.9"]))  # fmt: skip
    assert guard.check("http://a:81/x").address == "10.1.2.3"
    assert guard.check("https://orders.lan/x").port == 443
    with pytest.raises(SendFailed):
        guard.check("http://b/x")


def test_fault_090_a_name_that_answers_differently_the_second_time_leads_nowhere() -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    with http_server(behaviour=204) as server:
        guard = Guard(("127.0.0.1",), lambda host, port: next(answers))
        one = channel("webhook", url=f"http://rebind.test:{server.port}/hook", secret=SECRET)
        Deliverer([one], guard, lambda: NOW).deliver(Delivery(notification=message(), channel="c1"))
        # The name was resolved once, and the connection made to what was checked.
        assert server.posts[0].headers["host"] == f"rebind.test:{server.port}"


def test_a_text_message_fills_the_providers_template_and_reads_its_answer() -> None:
    body = {"mobile": "{phone}", "params": ["{title}", "{text}"], "ref": "{key}", "n": 1, "odd": "{unknown}"}
    with http_server(answer=b'{"result": {"code": "OK"}}') as server:
        one = channel("sms", url=server.url, body=body, headers={"X-Key": "k-123456"},
                      success={"field": "result.code", "equals": "OK"})  # fmt: skip
        send(one)
        (post,) = server.posts
        assert post.json == {
            "mobile": "13800001234", "params": ["[紧急] 1号梯 困人", "位置: 1号楼"], "ref": "no-1", "n": 1,
            "odd": "{unknown}",
        }  # fmt: skip
        assert post.headers["x-key"] == "k-123456"
        server.answer = b'{"result": {"code": "ARREARS"}}'
        with pytest.raises(SendFailed, match="ARREARS"):
            send(one)
        server.answer = b"<html>"
        with pytest.raises(SendFailed, match=r"has no 'result\.code'"):
            send(one)


def test_a_text_message_as_a_form() -> None:
    with http_server() as server:
        send(channel("sms", "en", url=server.url, body={"to": "{phone}", "text": "{title} & more"}, encoding="form"))
    assert server.posts[0].body == b"to=13800001234&text=%5BCRITICAL%5D+Lift+1%3A+trapped+%26+more"


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
def test_a_group_robot_that_answers_200_and_refuses_has_failed(kind: str) -> None:
    with http_server(answer=b'{"errcode": 0, "errmsg": "ok"}') as server:
        words = {"key": "the-secret-key"} if kind == "wecom" else {"token": "the-secret-key", "secret": "SECabc"}
        one = channel(kind, url=server.url, **words)
        send(one)
        assert server.posts[0].json == {"msgtype": "text", "text": {"content": "[紧急] 1号梯 困人\n位置: 1号楼"}}
        assert "the-secret-key" in server.posts[0].path
        assert ("sign=" in server.posts[0].path) == (kind == "dingtalk")
        server.answer = b'{"errcode": 93000, "errmsg": "invalid webhook url the-secret-key"}'
        with pytest.raises(SendFailed, match="93000") as failed:
            send(one)
        assert "the-secret-key" not in failed.value.message


def test_feishu_goes_through_apprise_and_a_refusal_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.feishu import NotifyFeishu

    with http_server(answer=b'{"code": 0}') as server:
        monkeypatch.setattr(NotifyFeishu, "notify_url", server.url + "/{token}")
        one = channel("feishu", token="abcdef0123456789")
        send(one)
        assert "困人" in server.posts[0].json["content"]["text"]
        server.answer = b'{"code": 9499, "msg": "Bad Request"}'
        with pytest.raises(SendFailed, match="9499"):
            send(one)


def mail(**options: Any) -> Channel:
    return channel("email", "both", host="127.0.0.1", sender="gate@example.com", tls="none", **options)


def test_an_e_mail_reaches_everybody_it_is_for() -> None:
    to = tuple(Recipient(person=name, address=f"{name}@example.com") for name in ("anna", "ben"))
    with mail_server() as box:
        send(mail(port=box.port), to=to)
    recipients = {address for envelope in box.mails for address in envelope.rcpt_tos}
    assert recipients == {"anna@example.com", "ben@example.com"}
    parsed = message_from_bytes(box.mails[0].content, policy=policy.default)
    assert "困人" in str(parsed["subject"]) and "trapped" in str(parsed["subject"])
    part = parsed.get_body()
    assert part is not None
    text = part.get_content()
    assert "位置: 1号楼" in text and "Place: B1" in text


def test_an_e_mail_that_is_refused_or_reaches_no_server_has_failed() -> None:
    to = (Recipient(person="anna", address="anna@example.com"),)
    with mail_server() as box:
        box.refuse = "550 no such user"
        with pytest.raises(SendFailed):
            send(mail(port=box.port), to=to)
    with pytest.raises(SendFailed):
        send(mail(port=box.port), to=to)
    with pytest.raises(SendFailed, match="nobody of anna"):
        send(mail(port=box.port), to=())


def test_a_password_is_in_no_reason() -> None:
    to = (Recipient(person="anna", address="anna@example.com"),)
    with mail_server() as box, pytest.raises(SendFailed) as failed:
        send(mail(port=box.port, user="gate", password="swordfish-1"), to=to)
    assert "swordfish-1" not in failed.value.message
