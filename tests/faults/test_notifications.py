"""Messages through the real core, its database, the sender's threads and real servers, on a virtual clock."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from gateway.core.core import Core
from gateway.model import Notification
from gateway.notify import Channel, Deliverer, Guard, Sender
from gateway.services.chain_reading import read_chains
from gateway.services.chains import ChannelInfo, EscalationBook
from gateway.store import tables
from gateway.store.writer import WriteBatch
from tests.notify.servers import HttpServer, Mailbox, http_server, mail_server
from tests.support.lab import Crash, Lab

pytestmark = pytest.mark.slow

CHAIN = """
chains:
  - id: all
    systems: access
    levels:
      - {after: 0s, tell: [{user: anna}], by: [hook, mail]}
      - {after: 3m, tell: [{user: sue}], by: [hook, mail]}
"""
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()


class Town:
    """A lab with a webhook, a mail server, and two people."""

    def __init__(self, folder: Path, hook: HttpServer, box: Mailbox) -> None:
        channels = (
            Channel(id="hook", type="webhook", options={"url": hook.url, "secret": SECRET}),
            Channel(id="mail", type="email", options={
                "host": "127.0.0.1", "port": box.port, "sender": "gate@example.com", "tls": "none"
            }),
        )  # fmt: skip
        infos = [ChannelInfo(id=one.id, needs=one.needs) for one in channels]
        self.hook, self.box = hook, box
        self.senders: list[Sender] = []
        self._deliverer = Deliverer(channels, Guard(("127.0.0.1",)), time.time)
        book = EscalationBook(read_chains("x", CHAIN, ["hook", "mail"]), infos)
        self.lab = Lab(folder, escalation=book, sender=self._sender)
        self.lab.device("door-1", type="door")
        for name in ("anna", "sue"):
            self.lab.act("person.put", id=name, addresses={"email": f"{name}@example.com"})

    def _sender(self, core: Core) -> Sender:
        self.senders.append(Sender(self._deliverer, core.submit))
        return self.senders[-1]

    def close(self) -> None:
        self.lab.close()
        for sender in self.senders:
            sender.close(30.0)

    def until(self, what: Callable[[], Any], *, turn: bool = True) -> None:
        """Waits in real time, the clock of the gateway standing still."""
        deadline = time.monotonic() + 60
        while not what():
            assert time.monotonic() < deadline, [(n.state, n.attempts, n.tried) for n in self.messages()]
            if turn:
                self.lab.turn()
            time.sleep(0.01)

    def settle(self) -> None:
        """Waits until every attempt has its outcome."""
        self.until(lambda: not any(one.flying for one in self.messages()))

    def messages(self) -> list[Notification]:
        table = tables.notifications
        rows = self.lab.rows(select(table.c.body).order_by(table.c.created_at, table.c.id))
        return [msgspec.json.decode(row[0], type=Notification) for row in rows]

    def pass_time(self, seconds: float) -> None:
        """Time passes, each attempt getting its outcome before the next is due."""
        end = self.lab.clock.at + seconds
        while self.lab.clock.at < end:
            due = self.lab.core.desk.next_due()
            self.lab.clock.at = min(end, max(self.lab.clock.at, due if due is not None else end))
            self.lab.turn()
            self.settle()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with ExitStack() as stack:
        town = Town(tmp_path, stack.enter_context(http_server(behaviour=204)), stack.enter_context(mail_server()))
        stack.callback(town.close)
        yield town


def duress(town: Town) -> None:
    town.lab.say("door-1", "access.duress", method="pin")


def of(town: Town, level: int) -> Notification:
    (one,) = [each for each in town.messages() if each.level == level and each.severity == "critical"]
    return one


def test_a_critical_alert_is_told_by_the_first_channel_and_acknowledged_before_the_second_level(town: Town) -> None:
    duress(town)
    town.settle()
    (one,) = town.messages()
    assert (one.state, one.sent_by, one.people) == ("sent", "hook", ("anna",))
    event = town.hook.posts[0].json
    assert event["data"]["alert"] == town.lab.alert("access.duress").id == event["subject"]
    town.lab.act("alert.acknowledge", alert=event["subject"])
    town.pass_time(1000)
    assert len(town.messages()) == 1


def test_fault_101_an_endpoint_down_for_half_an_hour(town: Town) -> None:
    town.hook.behaviour = 503
    began = town.lab.clock.at
    duress(town)
    town.settle()
    one = of(town, 1)
    assert (one.state, one.sent_by) == ("sent", "mail"), "the second channel, within the minute"
    assert town.lab.clock.at == began
    assert "anna@example.com" in town.box.mails[0].rcpt_tos
    failing = town.lab.alert("gateway.notification-failing")
    assert failing.active and failing.scope == "gateway/hook" and "503" in failing.reason["en"]
    town.box.refuse = "451 try again later"
    town.pass_time(1800)
    second = of(town, 2)
    assert second.state == "pending" and second.attempts >= 6
    assert {alert.scope for alert in town.lab.alerts() if alert.rule == "gateway.notification-failing"} == {
        "gateway/hook", "gateway/mail"
    }  # fmt: skip
    town.hook.behaviour, town.box.refuse = 204, ""
    town.pass_time(800)
    assert {one.state for one in town.messages()} == {"sent"}
    assert not town.lab.alert_of("gateway.notification-failing", "gateway/hook").active
    keys = [post.headers["webhook-id"] for post in town.hook.posts]
    assert keys.count(second.key) >= 3, "tried again and again under its key"


def test_fault_102_an_endpoint_that_takes_it_and_dies_before_its_answer_gets_it_again(town: Town) -> None:
    town.hook.behaviour = "die"
    town.box.refuse = "451 try again later"
    duress(town)
    town.settle()
    assert of(town, 1).state == "pending"
    town.hook.behaviour = 204
    town.pass_time(60)
    assert of(town, 1).state == "sent"
    posts = [post.headers["webhook-id"] for post in town.hook.posts if post.headers["webhook-id"] == of(town, 1).key]
    assert len(posts) == 2


def test_fault_103_killed_between_the_sending_and_the_record_of_it_it_is_sent_again(town: Town) -> None:
    duress(town)
    # It has arrived, and its outcome waits at the door: the core dies without having taken it.
    town.until(lambda: town.hook.posts, turn=False)
    assert of(town, 1).flying
    town.lab.crash()
    town.settle()
    one = of(town, 1)
    assert (one.state, one.attempts) == ("sent", 1)
    assert [post.headers["webhook-id"] for post in town.hook.posts] == [one.key, one.key]
    town.lab.crash()
    town.pass_time(60)
    assert len(town.hook.posts) == 2, "what is recorded as sent is not sent again"


def test_fault_103_killed_before_the_commit_nothing_is_sent_and_after_it_everything(town: Town) -> None:
    commit = town.lab.core.writer.commit

    def dies(batch: WriteBatch) -> None:
        raise Crash

    message = town.lab.event("door-1", "access.duress", method="pin")
    town.lab.core.writer.commit = dies  # type: ignore[method-assign]
    with pytest.raises(Crash):
        town.lab.turn(message)
    assert town.hook.posts == []
    town.lab.core.writer.commit = commit  # type: ignore[method-assign]
    town.lab.crash()
    town.lab.turn(message)
    town.settle()
    assert [post.headers["webhook-id"] for post in town.hook.posts] == [of(town, 1).key]


def test_fault_104_nobody_acknowledges_and_the_next_level_is_told_over_a_restart_and_a_clock_step(town: Town) -> None:
    duress(town)
    town.settle()
    town.pass_time(100)
    town.lab.crash()
    town.lab.clock.wall_step = 3600.0
    town.pass_time(79)
    assert len(town.messages()) == 1
    town.lab.crash()
    town.pass_time(1)
    assert of(town, 2).people == ("sue",)
    escalation = town.lab.alert("access.duress").escalation
    assert escalation is not None and (escalation.level, escalation.state) == (2, "exhausted")


def test_fault_106_a_flood_is_one_digest_and_the_first_critical_one_comes_at_once(town: Town) -> None:
    for number in range(30):
        town.lab.device(f"gate-{number}", type="door")
    town.lab.turn(*[
        town.lab.event(f"gate-{number}", "access.door", state="open", forced=True) for number in range(30)
    ])  # fmt: skip
    town.settle()
    duress(town)
    town.settle()
    kinds = [(post.json["type"], post.json["data"]["severity"]) for post in town.hook.posts]
    assert kinds[-1] == ("gatehouse.notification.alert", "critical")
    assert 5 <= len(kinds) <= 7
    town.pass_time(61)
    digests = [post.json["data"] for post in town.hook.posts if post.json["type"].endswith("digest")]
    assert len(digests) == 1 and digests[0]["count"] >= 24
    assert all(one.state in ("sent", "digested") for one in town.messages())
