"""Messages: at least once, the second channel within a minute, a digest in a flood, nothing lost in silence."""

from __future__ import annotations

import itertools

import pytest

from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import Actor, Notification, NotificationState, Role
from gateway.services.settings import DeskSettings
from tests.services.story import ANNA, ERIKA, STRANGER, VERA, Story
from tests.services.telling import CHANNELS, PEOPLE, Telling

SENT, PENDING, FAILED = NotificationState.SENT, NotificationState.PENDING, NotificationState.FAILED
GROUP = """
chains:
  - id: all
    levels: [{after: 0s, tell: [everyone], by: [desk, sms]}]
"""
ONE = """
chains:
  - id: all
    levels: [{after: 0s, tell: [{user: anna}], by: [sms]}]
"""


def channels_of(story: Telling) -> list[tuple[float, str]]:
    return [(at - story.began, delivery.channel) for at, delivery in story.deliveries]


def said(story: Telling) -> list[tuple[str, bool]]:
    return [(one.data["channel"], one.data["failing"]) for one in story.found if one.kind == "gateway.notification"]


def test_fault_101_a_channel_down_for_half_an_hour_is_retried_and_the_second_one_tells_within_a_minute() -> None:
    story = Telling()
    story.raised("access.duress")
    (_, first) = story.deliveries[0]
    assert first.channel == "sms" and [to.address for to in first.to] == ["1"]
    story.after(10)
    story.outcome(first, "refused")
    (at, second) = story.deliveries[1]
    assert (at - story.began, second.channel) == (10.0, "mail")
    assert second.notification.key == first.notification.key
    assert [to.address for to in second.to] == ["anna@example.com"]
    assert said(story) == [("sms", True)], "the alert of the failing channel follows at once"
    story.outcome(second)
    (one,) = story.notifications()
    assert (one.state, one.sent_by, one.attempts, [t.error for t in one.tried]) == (SENT, "mail", 2, ["refused"])


def test_fault_101_both_channels_down_for_half_an_hour_and_it_arrives_after_it() -> None:
    story = Telling(ONE.replace("[sms]", "[sms, mail]"))
    story.raised("access.held")
    for second in range(2400):
        story.after(1.0)
        if second % 300 == 0:
            story.restart()
        story.answer_all("down" if second < 1800 else "")
    (one,) = story.notifications()
    assert one.state is SENT and one.sent_at is not None
    assert 1800 <= one.sent_at - one.created_at <= 2400
    times = [at for at, channel in channels_of(story) if channel == "sms"]
    pauses = [b - a for a, b in itertools.pairwise(times)]
    assert pauses[0] < 60 and max(pauses) <= 760, f"back-off: {pauses}"
    assert len(times) < 30
    assert said(story)[:2] == [("sms", True), ("mail", True)]
    assert said(story)[-1][1] is False


def test_fault_101_a_channel_that_never_answers_has_failed_before_the_minute_is_over() -> None:
    story = Telling()
    story.raised("access.duress")
    for _ in range(59):
        story.after(1.0)
    assert [channel for _, channel in channels_of(story)][:2] == ["sms", "mail"]
    assert channels_of(story)[1][0] <= 30


def test_fault_102_103_what_has_no_outcome_is_sent_again_under_the_same_key_after_a_kill() -> None:
    story = Telling()
    story.raised("access.duress")
    before = story.deliveries[-1][1]
    story.restart()
    after = story.deliveries[-1][1]
    assert len(story.deliveries) == 2
    assert (after.notification.key, after.notification.attempts, after.channel) == (before.notification.key, 1, "sms")
    story.outcome(before)
    story.outcome(after)
    (one,) = story.notifications()
    assert (one.state, one.attempts) == (SENT, 1)
    story.restart()
    assert story.answer_all() == 0
    assert len(story.deliveries) == 2, "what is sent is not sent again"


def test_an_attempt_given_up_that_did_arrive_counts() -> None:
    story = Telling()
    story.raised("access.duress")
    slow = story.deliveries[0][1]
    story.after(30)
    assert story.deliveries[-1][1].channel == "mail"
    story.outcome(slow)
    (one,) = story.notifications()
    assert (one.state, one.sent_by) == (SENT, "sms")
    story.outcome(story.deliveries[-1][1], "late refusal")
    assert story.notifications()[0].state is SENT


def test_a_message_that_cannot_be_delivered_for_a_day_is_failed_loud_and_can_be_tried_again() -> None:
    story = Telling(ONE)
    shift = story.act("shift.take_over", site="garden")
    story.raised("access.held")
    while story.now - story.began < 90_000:
        story.answer_all("down")
        story.after(300)
    (one,) = story.notifications()
    assert one.state is FAILED
    assert [told.kind for told in story.found if told.kind == "gateway.notification_lost"] == [
        "gateway.notification_lost"
    ]
    signed = story.act("shift.handover", shift=shift.id).handover
    failed = next(chapter for chapter in signed.chapters if chapter.name == "notifications")
    assert [(item.ref, item.note) for item in failed.items] == [(one.id, "down")]
    story.restart().act("notification.retry", notification=one.id)
    story.answer_all()
    assert story.notifications()[0].state is SENT
    with pytest.raises(Conflict, match="nothing to try again"):
        story.act("notification.retry", notification=one.id)


def test_where_no_channel_reaches_anybody_the_message_is_failed_at_once_and_says_why() -> None:
    people = ({"id": "anna", "teams": ["guards"]},)
    story = Telling(ONE, people, CHANNELS[1:])
    story.raised("access.held")
    (one,) = story.notifications()
    assert one.state is FAILED and "they have no address" in one.tried[0].error
    assert story.where("access.held").told[0].missed == ("anna",)
    assert [told.kind for told in story.found] == ["gateway.notification_lost"]
    with pytest.raises(Conflict, match="no channel reaches anna"):
        story.act("notification.retry", notification=one.id)
    story.act("person.put", ERIKA, id="anna", addresses={"phone": "1"})
    story.act("notification.retry", notification=one.id)
    story.answer_all()
    assert story.notifications()[0].state is SENT


def test_a_group_is_told_once_and_those_behind_it_are_named() -> None:
    story = Telling(GROUP)
    story.raised("access.held")
    (delivery,) = [one for _, one in story.deliveries]
    assert delivery.channel == "desk"
    assert [to.person for to in delivery.to] == ["anna", "max", "sue"]
    story.outcome(delivery, "errcode 45009")
    assert story.deliveries[-1][1].channel == "sms"
    assert [to.address for to in story.deliveries[-1][1].to] == ["1", "3", "2"]


def test_a_group_is_told_though_nobody_is_known_by_name() -> None:
    story = Telling(GROUP, people=())
    story.raised("access.held")
    assert [delivery.channel for _, delivery in story.deliveries] == ["desk"]


def flood(story: Telling, count: int, name: str = "access.held") -> None:
    for number in range(count):
        story.raised(name, f"place-{number}", device=None)


@pytest.mark.parametrize("restarts", [False, True])
def test_fault_106_a_flood_ends_in_one_digest_and_the_first_critical_one_is_told_at_once(restarts: bool) -> None:
    story = Telling(ONE, settings=DeskSettings(flood_count=5, flood_window=60.0))
    flood(story, 40)
    assert len(story.deliveries) == 5
    story.answer_all()
    story.after(10)
    if restarts:
        story.restart()
    story.raised("meter.leak", "meter-1")
    assert len(story.deliveries) == 5, "no further one by one"
    story.raised("elevator.entrapment", "lift-1")
    assert story.deliveries[-1][1].notification.severity == "critical"
    story.answer_all()
    story.after(49)
    assert len(story.deliveries) == 6
    story.after(1)
    digest = story.deliveries[-1][1].notification
    held = len(story.notifications()) - 7
    # 35 of the flood and the leak; what sums a storm up may be among them.
    assert digest.kind == "digest" and digest.count == held >= 36
    assert digest.title == {"en": f"{held} alerts", "zh": f"{held} 条警报"}
    story.answer_all()
    states = [one.state for one in story.notifications()]
    assert states.count(NotificationState.DIGESTED) == held and states.count(SENT) == 7
    assert all(one.digest == digest.id for one in story.notifications() if one.state is NotificationState.DIGESTED)


def test_fault_106_fire_duress_and_entrapment_are_never_put_into_a_digest() -> None:
    story = Telling(ONE, settings=DeskSettings(flood_count=1))
    flood(story, 4)
    for scope in ("door-1", "door-2", "door-9"):
        story.raised("access.duress", scope)
    told = [one.notification.severity for _, one in story.deliveries]
    assert told == ["medium", "critical", "critical", "critical"]


def test_fault_106_a_quiet_minute_ends_the_flood() -> None:
    story = Telling(ONE, settings=DeskSettings(flood_count=2))
    flood(story, 3)
    story.after(200)
    story.raised("meter.leak", "meter-1")
    assert [delivery.notification.kind for _, delivery in story.deliveries] == ["alert", "alert", "digest", "alert"]


def test_a_message_says_place_time_and_what_to_do_in_both_languages() -> None:
    story = Telling()
    story.raised("elevator.entrapment", "lift-1")
    (one,) = [each for each in story.notifications() if each.kind == "alert"]
    assert one.title["en"].startswith("[CRITICAL] Lift-1") and one.title["zh"].startswith("[紧急] lift-1")
    assert "Garden / Building 1 / Lift-1" in one.text["en"] and "1号楼" in one.text["zh"]
    story.after(180)
    second = next(each for each in story.notifications() if each.level == 2)
    assert "call 2 of 3" in second.text["en"] and "第 2 级" in second.text["zh"]


def test_a_test_names_itself_and_goes_by_each_channel_the_person_has() -> None:
    story = Telling()
    answer = story.act("notification.test", ERIKA, to="max")
    assert len(answer["notifications"]) == 3
    assert [one.channel for _, one in story.deliveries] == ["desk", "sms"]
    assert all("[TEST]" in one.title["en"] for one in story.notifications())
    story.act("notification.test", ERIKA, channel="desk")
    with pytest.raises(Invalid, match="needs the phone of a person"):
        story.act("notification.test", ERIKA, channel="sms")
    with pytest.raises(NotFound):
        story.act("notification.test", ERIKA, channel="smoke")
    with pytest.raises(NotFound):
        story.act("notification.test", ERIKA, to="nobody")
    with pytest.raises(Forbidden):
        story.act("notification.test", ANNA, channel="desk")
    with pytest.raises(Conflict, match="no channels"):
        Story().act("notification.test", ERIKA)


def test_only_the_sender_says_what_became_of_a_message_and_strangers_see_none() -> None:
    story = Telling()
    story.raised("access.duress")
    (one,) = story.notifications()
    with pytest.raises(Forbidden):
        story.act("notification.outcome", Actor("user:root", Role.ADMIN), notification=one.id, attempt=1, ok=True)
    with pytest.raises(NotFound):
        story.act("notification.retry", STRANGER, notification=one.id)
    with pytest.raises(Forbidden):
        story.act("notification.retry", VERA, notification=one.id)
    with pytest.raises(Conflict, match="is being sent"):
        story.act("notification.retry", notification=one.id)


def test_addresses_are_not_in_what_is_stored_or_announced() -> None:
    story = Telling(people=tuple({**one, "addresses": {"phone": "13812345678"}} for one in PEOPLE))
    story.raised("access.duress")
    assert all(b"13812345678" not in body for (kind, _), body in story.stored.items() if kind is Notification)
