"""What is remembered of events to tell a duplicate from news."""

from __future__ import annotations

from gateway.core.identity import Keys, Verdict


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def test_the_newest_keys_are_known_and_their_number_is_bounded() -> None:
    keys = Keys(100, 5.0)
    for number in range(1000):
        assert keys.check(key(number), number) is Verdict.NEW
    assert len(keys) <= 200
    told = {keys.check(key(number), number) for number in range(900, 1000)}
    assert told == {Verdict.DUPLICATE}, "the newest hundred are not all remembered"


def test_the_same_identity_with_other_content_is_a_conflict_and_stays_one() -> None:
    keys = Keys(100, 5.0)
    keys.check(key(1), 7)
    assert [keys.check(key(1), digest) for digest in (7, 8, 7)] == [
        Verdict.DUPLICATE,
        Verdict.CONFLICT,
        Verdict.DUPLICATE,
    ]


def test_a_frame_without_identity_is_old_within_the_redelivery_window_or_when_flagged() -> None:
    keys = Keys(100, 5.0)
    assert keys.check_anonymous(key(1), 0.0, dup=False) is Verdict.NEW
    assert keys.check_anonymous(key(1), 5.0, dup=False) is Verdict.DUPLICATE
    assert keys.check_anonymous(key(1), 60.0, dup=True) is Verdict.DUPLICATE
    assert keys.check_anonymous(key(1), 60.0, dup=False) is Verdict.NEW
    assert keys.check_anonymous(key(1), 64.0, dup=False) is Verdict.DUPLICATE


def test_keys_of_the_database_count_as_of_the_moment_they_were_read() -> None:
    keys = Keys(100, 5.0)
    keys.load([(key(1), 11), (key(2), 22)], {key(1): 1000.0, key(2): 1000.0})
    assert keys.check(key(1), 11) is Verdict.DUPLICATE
    assert keys.check_anonymous(key(2), 1004.0, dup=False) is Verdict.DUPLICATE
    assert keys.check_anonymous(key(2), 1006.0, dup=False) is Verdict.NEW
