"""Each condition word, told as stories: at this second that is said, and this comes of it."""

from __future__ import annotations

from gateway.model import Raised
from tests.rules.support import Play, device

LEVEL = "on: t.state\nwhen: on"
HAPPENING = "on: t.happening\nwhen: x > 5"
HOLD = "on: t.report\nwhen: x > 5\nfor: 30s"


# when, clear, clear_after


def test_a_standing_state_is_raised_once_and_cleared_when_it_is_false() -> None:
    play = Play(LEVEL)
    assert play.say(1, "t.state", on=False) == []
    assert play.say(2, "t.state", on=True) == ["raised r1 d@2"]
    assert play.say(3, "t.state", on=True) == []
    assert play.say(4, "t.state", on=False) == ["cleared r1 d@4"]
    assert play.say(5, "t.state", on=True) == ["raised r1 d@5"]


def test_a_true_event_that_tells_more_counts_again_unless_it_is_a_periodic_report() -> None:
    play = Play(LEVEL, "on: t.report\nwhen: on")
    play.say(1, "t.state", on=True, tag="one")
    assert play.say(2, "t.state", on=True, tag="two") == ["again r1 d@2"]
    assert play.say(3, "t.state", on=True) == []
    play.say(4, "t.report", on=True, x=1)
    assert play.say(5, "t.report", on=True, x=2) == []


def test_each_true_occurrence_is_momentary_and_never_cleared() -> None:
    play = Play(HAPPENING)
    assert play.rules.rules[0].momentary
    assert play.say(1, "t.happening", x=6) == ["momentary r1 d@1"]
    assert play.say(2, "t.happening", x=1) == []
    assert play.say(3, "t.happening", x=6) == ["momentary r1 d@3"]
    assert play.wait(1e6) == []
    assert b'"r1"' not in play.engine.snapshot()


def test_unknown_neither_raises_nor_clears() -> None:
    play = Play(LEVEL)
    assert play.say(1, "t.state", x=1) == []
    play.say(2, "t.state", on=True)
    assert play.say(3, "t.state", x=1) == []
    assert play.say(4, "t.state", on=False) == ["cleared r1 d@4"]


def test_clear_makes_hysteresis_and_counts_each_rise_inside_it() -> None:
    play = Play("on: t.report\nwhen: x > 50\nclear: x < 40")
    play.say(1, "t.report", x=55)
    assert play.say(2, "t.report", x=45) == []
    assert play.say(3, "t.report", x=56) == ["again r1 d@3"]
    assert play.say(4, "t.report", x=39) == ["cleared r1 d@4"]


def test_nothing_ends_while_when_is_true() -> None:
    play = Play("on: t.report\nwhen: x > 5\nclear: y > 5")
    play.say(1, "t.report", x=9)
    assert play.say(2, "t.report", x=9, y=9) == []
    assert play.say(3, "t.report", y=9) == ["cleared r1 d@3"]


def test_clear_after_asks_a_state_to_have_been_over_for_so_long() -> None:
    play = Play(LEVEL + "\nclear_after: 20s")
    play.say(0, "t.state", on=True)
    play.say(10, "t.state", on=False)
    assert play.say(20, "t.state", on=True) == ["again r1 d@20"]
    play.say(25, "t.state", on=False)
    assert play.say(40, "t.state", x=3) == []
    assert play.wait(100) == ["clear_after r1 d@45"]


def test_clear_after_counts_the_quiet_after_an_occurrence() -> None:
    play = Play(HAPPENING + "\nclear_after: 20s")
    assert play.say(0, "t.happening", x=6) == ["raised r1 d@0"]
    assert play.say(15, "t.happening", x=6) == ["again r1 d@15"]
    assert play.say(30, "t.happening", x=1) == []
    assert play.wait(100) == ["clear_after r1 d@35"]


def test_clear_with_clear_after_starts_again_when_the_end_is_broken() -> None:
    play = Play("on: t.report\nwhen: x > 50\nclear: x < 40\nclear_after: 20s")
    play.say(0, "t.report", x=60)
    play.say(10, "t.report", x=30)
    play.say(20, "t.report", x=45)
    play.say(30, "t.report", x=30)
    assert play.say(40, "t.report", y=1) == []
    assert play.wait(100) == ["clear_after r1 d@50"]


# for, at_once


def test_a_hold_comes_at_the_very_moment_and_a_false_event_breaks_it() -> None:
    play = Play(HOLD)
    play.say(0, "t.report", x=6)
    assert play.say(29.9, "t.report", x=5) == []
    play.say(30, "t.report", x=6)
    assert play.wait(59.99) == []
    assert play.wait(60) == ["raised r1 d@60"]
    assert play.say(61, "t.report", x=1) == ["cleared r1 d@61"]


def test_a_timer_comes_before_an_event_of_the_same_moment() -> None:
    play = Play(HOLD)
    play.say(0, "t.report", x=6)
    assert play.say(30, "t.report", x=1) == ["raised r1 d@30", "cleared r1 d@30"]


def test_unknown_does_not_break_a_hold() -> None:
    play = Play(HOLD)
    play.say(0, "t.report", x=6)
    play.say(10, "t.report", y=1)
    assert play.wait(30) == ["raised r1 d@30"]


def test_a_gap_longer_than_two_and_a_half_report_intervals_breaks_a_hold() -> None:
    play = Play(HOLD, devices=[device("d", report_interval=10)])
    play.say(0, "t.report", x=6)
    assert play.say(24.9, "t.report", x=6) == []
    assert play.wait(30) == ["raised r1 d@30"]
    play.say(31, "t.report", x=1)
    play.say(40, "t.report", x=6)
    play.say(65, "t.report", x=6)
    assert play.wait(94) == []


def test_a_device_without_a_report_interval_has_no_gaps() -> None:
    play = Play(HOLD.replace("30s", "10h"))
    play.say(0, "t.report", x=6)
    assert play.wait(36_000) == ["raised r1 d@36000"]


def test_for_a_kind_told_on_change_anything_the_device_says_bridges_the_gap() -> None:
    hold = LEVEL + "\nfor: 60s"
    play = Play(hold, devices=[device("d", report_interval=10)])
    play.say(0, "t.state", on=True)
    for at in (20, 40, 55):
        play.say(at, "t.other", note="alive")
    assert play.wait(60) == ["raised r1 d@60"]
    silent = Play(hold, devices=[device("d", report_interval=10)])
    silent.say(0, "t.state", on=True)
    assert silent.wait(100) == []


def test_for_a_periodic_kind_only_its_own_reports_bridge_the_gap() -> None:
    play = Play(HOLD, devices=[device("d", report_interval=10)])
    play.say(0, "t.report", x=6)
    play.say(20, "t.other", note="alive")
    assert play.wait(100) == []


def test_a_heartbeat_without_an_event_bridges_the_gap() -> None:
    play = Play(LEVEL + "\nfor: 60s", devices=[device("d", report_interval=10)])
    play.say(0, "t.state", on=True)
    for at in (20, 40):
        assert play.told(play.engine.hear("d", at)) == []
    assert play.wait(60) == ["raised r1 d@60"]


def test_what_the_gateway_says_of_a_device_needs_no_confirmation_by_it() -> None:
    play = Play("on: device.availability\nwhen: not online\nfor: 60s", devices=[device("d", report_interval=1)])
    play.say(0, "device.availability", online=False)
    assert play.wait(60) == ["raised r1 d@60"]


def test_a_hold_that_is_done_comes_again_only_after_a_break() -> None:
    play = Play("on: t.report\nwhen: x > 50\nfor: 10s\nclear: x < 40")
    play.say(0, "t.report", x=60)
    assert play.wait(10) == ["raised r1 d@10"]
    assert play.say(20, "t.report", x=60) == []
    assert play.wait(100) == []
    play.say(101, "t.report", x=45)
    play.say(102, "t.report", x=60)
    assert play.wait(200) == ["again r1 d@112"]


def test_at_once_does_not_wait_and_is_the_same_alert() -> None:
    play = Play(HOLD + "\nat_once: word == 'up'\nclear: word == 'still'")
    play.say(0, "t.report", x=6)
    assert play.say(5, "t.report", word="up") == ["raised r1 d@5"]
    assert play.say(6, "t.report", word="up") == []
    assert play.say(60, "t.report", x=6) == []
    assert play.say(61, "t.report", word="still", x=1) == ["cleared r1 d@61"]
    assert play.say(70, "t.report", word="up") == ["raised r1 d@70"]


# count


def test_a_count_comes_with_the_event_that_fills_the_window_and_goes_when_it_drains() -> None:
    play = Play(HAPPENING + "\ncount: {at_least: 3, within: 20s}")
    play.say(0, "t.happening", x=6)
    play.say(10, "t.happening", x=6)
    assert play.say(20, "t.happening", x=6) == []
    assert play.say(25, "t.happening", x=6) == ["raised r1 d@25"]
    assert play.say(28, "t.happening", x=6) == ["again r1 d@28"]
    assert play.wait(100) == ["cleared r1 d@40"]


def test_false_and_unknown_events_do_not_count() -> None:
    play = Play(HAPPENING + "\ncount: {at_least: 2, within: 20s}")
    play.say(0, "t.happening", x=6)
    play.say(1, "t.happening", x=1)
    play.say(2, "t.happening", y=1)
    assert play.say(3, "t.happening", x=7) == ["raised r1 d@3"]


def test_distinct_counts_values_and_a_repeated_one_only_renews_itself() -> None:
    play = Play("on: t.happening\ncount: {at_least: 3, within: 20s, distinct: tag}")
    for at, tag in ((0, "a"), (1, "b"), (2, "a"), (3, "a")):
        assert play.say(at, "t.happening", tag=tag) == []
    assert play.say(4, "t.happening") == []
    assert play.say(5, "t.happening", tag="c") == ["raised r1 d@5"]
    assert play.wait(100) == ["cleared r1 d@21"]


def test_in_a_row_begins_anew_with_a_false_event() -> None:
    play = Play("on: t.report\nwhen: x > 5\ncount: {at_least: 3, within: 1h, in_a_row: true}")
    for at, x in ((0, 6), (1, 6), (2, 1), (3, 6), (4, 6)):
        assert play.say(at, "t.report", x=x) == []
    assert play.say(5, "t.report", x=6) == ["raised r1 d@5"]
    assert play.say(6, "t.report", y=1) == []
    assert play.say(7, "t.report", x=2) == ["cleared r1 d@7"]


def test_clear_after_keeps_a_count_up_as_long_as_it_goes_on() -> None:
    play = Play(HAPPENING + "\ncount: {at_least: 2, within: 20s}\nclear_after: 30s")
    play.say(0, "t.happening", x=6)
    assert play.say(5, "t.happening", x=6) == ["raised r1 d@5"]
    assert play.say(30, "t.happening", x=6) == []
    assert play.say(55, "t.happening", x=6) == []
    assert play.wait(200) == ["clear_after r1 d@85"]


# expect


EXPECT = "on: t.happening\nwhen: x > 5\nexpect: {on: t.state, when: on, within: 10s}"


def test_expect_comes_when_nothing_followed_and_goes_when_it_comes_after_all() -> None:
    play = Play(EXPECT)
    play.say(0, "t.happening", x=6)
    assert play.say(5, "t.state", on=False) == []
    assert play.wait(10) == ["raised r1 d@10"]
    assert play.say(30, "t.state", on=True) == ["cleared r1 d@30"]


def test_expect_is_content_when_it_follows_in_time() -> None:
    play = Play(EXPECT)
    play.say(0, "t.happening", x=6)
    assert play.say(9.9, "t.state", on=True) == []
    assert play.wait(100) == []


def test_a_second_beginning_does_not_prolong_the_wait() -> None:
    play = Play(EXPECT)
    play.say(0, "t.happening", x=6)
    play.say(9, "t.happening", x=6)
    assert play.wait(10) == ["raised r1 d@10"]
    play.say(11, "t.happening", x=6)
    assert play.wait(21) == ["again r1 d@21"]


def test_an_event_may_end_one_wait_and_begin_the_next() -> None:
    play = Play("on: t.state\nexpect: {on: t.state, within: 10s}")
    for at in (0, 8, 16):
        assert play.say(at, "t.state", on=True) == []
    assert play.wait(100) == ["raised r1 d@26"]


def test_what_is_expected_may_come_from_another_device_of_the_scope() -> None:
    near, far = device("cam", type="camera", zone="gate"), device("arm", type="barrier", zone="gate")
    other = device("arm2", type="barrier", zone="yard")
    play = Play(EXPECT + "\nscope: zone\ndevices: {type: camera}", devices=[near, far, other])
    play.say(0, "t.happening", by="cam", x=6)
    play.say(1, "t.state", by="arm2", on=True)
    play.say(2, "t.happening", by="arm", x=6)
    assert play.wait(10) == ["raised r1 gate@10"]
    assert play.say(11, "t.state", by="arm", on=True) == ["cleared r1 gate@11"]


# silent


def test_silence_counts_from_the_start_and_ends_with_the_next_word() -> None:
    play = Play("silent: 1m")
    assert play.wait(59) == []
    assert play.wait(60) == ["raised r1 d@60"]
    assert play.say(90, "t.other", note="hello") == ["cleared r1 d@90"]
    assert play.wait(200) == ["raised r1 d@150"]


def test_a_silence_of_some_kinds_ignores_the_others() -> None:
    play = Play("on: t.report\nsilent: 1m")
    play.say(30, "t.report", x=1)
    play.say(80, "t.other", note="hello")
    assert play.wait(200) == ["raised r1 d@90"]


def test_silence_in_report_intervals_covers_only_devices_that_have_one() -> None:
    play = Play("silent: {intervals: 3}", devices=[device("d", report_interval=10), device("mute")])
    assert play.wait(1000) == ["raised r1 d@30"]


def test_silence_covers_the_devices_of_the_filter() -> None:
    devices = [device("a", type="door"), device("b", type="meter"), device("c", type="door", enabled=False)]
    play = Play("silent: 1m\ndevices: {type: door}", devices=devices)
    assert play.wait(1000) == ["raised r1 a@60"]


def test_a_device_that_is_offline_is_not_silent() -> None:
    play = Play("silent: 1m")
    play.say(10, "device.availability", online=False)
    assert play.wait(1000) == []
    assert play.say(1000, "device.availability", online=True) == []
    assert play.wait(2000) == ["raised r1 d@1060"]


def test_being_online_again_is_no_report_of_a_kind() -> None:
    play = Play("on: t.report\nsilent: 1m")
    assert play.wait(60) == ["raised r1 d@60"]
    assert play.say(70, "device.availability", online=True) == []
    assert play.say(80, "t.report", x=1) == ["cleared r1 d@80"]


def test_what_the_gateway_remarks_is_not_heard_from_the_device() -> None:
    play = Play("silent: 1m")
    play.say(50, "gateway.remark", on=True)
    assert play.wait(60) == ["raised r1 d@60"]


def test_late_and_replayed_events_prove_that_a_device_speaks() -> None:
    play = Play("silent: 1m")
    play.say(50, "t.state", late=True, on=True)
    play.say(100, "t.state", replay=True, on=True)
    assert play.wait(150) == []
    assert play.wait(160) == ["raised r1 d@160"]


def test_a_heartbeat_without_an_event_ends_a_silence() -> None:
    play = Play("silent: 1m", "on: t.report\nsilent: 1m")
    assert play.wait(60) == ["raised r1 d@60", "raised r2 d@60"]
    assert play.told(play.engine.hear("d", 70)) == ["cleared r1 d@70"]


def test_nobody_listened_so_nobody_was_silent() -> None:
    play = Play("silent: 1m", EXPECT, LEVEL + "\nfor: 200s", devices=[device("d", report_interval=30)])
    play.say(0, "t.state", on=True)
    play.say(50, "t.happening", x=6)
    play.engine.excuse(200, 255)
    assert play.say(256, "t.state", on=True) == ["raised r3 d@200"]
    assert play.wait(315) == []
    assert play.wait(316) == ["raised r1 d@316"]


def test_devices_may_come_later_change_and_be_disabled() -> None:
    play = Play("silent: 1m", LEVEL)
    play.wait(100)
    play.engine.set_topology([device("new")], now=100)
    assert play.wait(159) == []
    assert play.wait(160) == ["raised r1 new@160"]
    assert play.say(170, "t.state", by="new", on=True) == ["cleared r1 new@170", "raised r2 new@170"]
    play.engine.set_topology([device("new", enabled=False)], now=180)
    assert play.engine.next_due() is not None
    assert play.wait(180) == ["device_disabled r2 new@180"]
    assert "raised r1 new@230" not in play.wait(1000)


# sequence


SEQUENCE = """
sequence:
  - {on: t.happening, when: x == 1}
  - {on: t.state, when: on}
  - {on: t.happening, when: x == 2}
within: 30s
"""


def test_a_sequence_comes_with_its_last_step() -> None:
    play = Play(SEQUENCE)
    play.say(0, "t.happening", x=1)
    play.say(5, "t.other", note="in between")
    play.say(10, "t.state", on=True)
    assert play.say(29, "t.happening", x=2) == ["momentary r1 d@29"]
    assert play.say(29.5, "t.happening", x=2) == []


def test_a_sequence_out_of_order_or_out_of_time_does_not_come() -> None:
    play = Play(SEQUENCE)
    play.say(0, "t.state", on=True)
    play.say(1, "t.happening", x=1)
    assert play.say(2, "t.happening", x=2) == []
    play.say(3, "t.state", on=True)
    assert play.say(31, "t.happening", x=2) == []


def test_the_run_that_started_last_is_kept() -> None:
    play = Play(SEQUENCE)
    play.say(0, "t.happening", x=1)
    play.say(20, "t.happening", x=1)
    play.say(25, "t.state", on=True)
    assert play.say(49, "t.happening", x=2) == ["momentary r1 d@49"]


# scope, devices, late, evidence


def test_scopes_are_devices_zones_buildings_sites_or_values() -> None:
    devices = [device("a", zone="z", building="b"), device("c", zone="z2", building="b"), device("lone")]
    play = Play(
        *(f"{LEVEL}\nscope: {scope}" for scope in ("device", "zone", "building", "site", "tag", "[device, tag]")),
        devices=devices,
    )
    came = play.say(1, "t.state", by="a", on=True, tag="T")
    assert came == [
        "raised r1 a@1", "raised r2 z@1", "raised r3 b@1", "raised r4 s@1", "raised r5 s/T@1", "raised r6 a/T@1",
    ]  # fmt: skip
    assert play.say(2, "t.state", by="c", on=True) == ["raised r1 c@2", "raised r2 z2@2"]
    assert play.say(3, "t.state", by="lone", on=True, tag="T")[:3] == [
        "raised r1 lone@3",
        "raised r2 lone@3",
        "raised r3 lone@3",
    ]
    assert play.say(4, "t.state", by="c", on=False, tag="T")[-1] == "cleared r5 s/T@4"


def test_the_device_filter_admits_by_id_type_zone_building_and_site() -> None:
    devices = [
        device("a", type="door", zone="z"),
        device("b", type="door", zone="y"),
        device("c", type="lift", zone="z", building="h"),
        device("e", type="door", site="far"),
    ]
    words = ("{type: door}", "{type: door, zone: [z, x]}", "{id: [b, c]}", "{building: h}", "{site: far}")
    play = Play(*(f"{LEVEL}\ndevices: {word}" for word in words), devices=devices)
    came = [play.say(1, "t.state", by=one.id, on=True) for one in devices]
    assert [[line.split()[1] for line in lines] for lines in came] == [
        ["r1", "r2"],
        ["r1", "r3"],
        ["r3", "r4"],
        ["r1", "r5"],
    ]


def test_fault_046_late_events_raise_nothing_unless_the_rule_asks_for_them() -> None:
    play = Play(LEVEL, LEVEL + "\nlate: include", HOLD)
    assert play.say(1, "t.state", late=True, on=True) == ["raised r2 d@1"]
    play.say(2, "t.report", late=True, x=9)
    assert play.wait(100) == []
    assert play.say(101, "t.state", replay=True, on=False) == []
    assert play.say(102, "t.state", late=True, on=False) == ["cleared r2 d@102"]


def test_replayed_events_raise_nothing_at_all() -> None:
    play = Play(LEVEL + "\nlate: include")
    assert play.say(1, "t.state", replay=True, on=True) == []
    assert play.say(2, "t.state", replay=True, late=True, on=True) == []


def test_late_events_do_not_become_the_past() -> None:
    play = Play("on: t.state\nwhen: previous(x) == 1")
    play.say(1, "t.state", x=1)
    play.say(2, "t.state", x=7, late=True)
    assert play.say(3, "t.state", x=2) == ["raised r1 d@3"]


def test_an_event_older_than_the_engine_counts_as_of_now() -> None:
    play = Play(LEVEL)
    play.wait(50)
    assert play.say(40, "t.state", on=True) == ["raised r1 d@50"]


def test_an_alert_keeps_the_events_that_made_it_and_the_fields_it_read() -> None:
    play = Play(HOLD.replace("30s", "10m") + '\ntitle: {en: "{word} {held_s}", zh: "{tag}"}')
    for at in range(0, 600, 10):
        play.say(at, "t.report", x=6 + at, word="up", tag="T", y=3)
    play.wait(600)
    raised = play.changes[-1]
    assert isinstance(raised, Raised)
    assert [one.seq for one in raised.evidence] == [1, *range(42, 61)]
    assert raised.values == {"x": 596, "word": "up", "tag": "T", "held_s": 600}
    assert play.rules.rules[0].personal == ("tag",)


def test_the_values_of_a_count_and_a_silence_say_how_many_and_how_long() -> None:
    play = Play(HAPPENING + "\ncount: {at_least: 2, within: 20s}", "silent: 1m")
    play.say(10, "t.happening", x=6)
    play.say(20, "t.happening", x=8)
    play.wait(80)
    count, silence = (change for change in play.changes if isinstance(change, Raised))
    assert count.values == {"x": 8, "count": 2}
    assert [one.seq for one in count.evidence] == [1, 2]
    assert silence.values == {"silent_s": 60, "last_heard": 20}


def test_fault_050_a_chattering_contact_makes_one_open_condition_at_a_time() -> None:
    play = Play(LEVEL)
    came = [play.say(at / 10, "t.state", on=at % 2 == 0) for at in range(6000)]
    assert all(len(lines) == 1 for lines in came)
    assert [lines[0].split()[0] for lines in came[:4]] == ["raised", "cleared", "raised", "cleared"]
    assert len(play.engine.snapshot()) < 1000


def test_fault_058_rules_see_events_only_so_none_can_trigger_itself() -> None:
    play = Play(LEVEL, LEVEL)
    assert play.say(1, "t.state", on=True) == ["raised r1 d@1", "raised r2 d@1"]
    assert play.wait(1e6) == []
