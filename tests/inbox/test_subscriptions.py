"""What is asked of the broker, and what becomes of its answers."""

from __future__ import annotations

import logging
import threading

import pytest

from gateway.inbox.subscriptions import Subscriptions

BEAT = "beat"


class BrokerDouble:
    """Notes every SUBSCRIBE and UNSUBSCRIBE; numbers them from 1. `away`: there is no connection."""

    def __init__(self) -> None:
        self.asked: list[list[tuple[str, int]]] = []
        self.dropped: list[list[str]] = []
        self.away = False
        self.subscriptions = Subscriptions(self._ask, self.dropped.append)

    def _ask(self, filters: list[tuple[str, int]]) -> int | None:
        if self.away:
            return None
        self.asked.append(filters)
        return len(self.asked)

    def answer_all(self) -> None:
        for number, filters in enumerate(self.asked, 1):
            self.subscriptions.answered(number, [None] * len(filters))


def test_what_was_wanted_before_the_connection_is_asked_for_when_it_comes() -> None:
    broker = BrokerDouble()
    broker.subscriptions.add(["a", "b"])
    assert broker.asked == []
    broker.subscriptions.connection_made(False, BEAT)
    assert broker.asked == [[("a", 1), ("b", 1)], [(BEAT, 0)]]
    assert broker.subscriptions.granted() == set()
    broker.answer_all()
    assert broker.subscriptions.granted() == {"a", "b"}, "the filter besides is nobody's wish"


def test_a_kept_session_is_not_asked_again_and_a_new_one_is() -> None:
    broker = BrokerDouble()
    broker.subscriptions.add(["a"])
    broker.subscriptions.connection_made(False, BEAT)
    broker.answer_all()
    broker.asked.clear()
    broker.subscriptions.connection_lost()
    broker.subscriptions.connection_made(True, BEAT)
    assert broker.asked == [[(BEAT, 0)]]
    broker.subscriptions.connection_lost()
    broker.subscriptions.connection_made(False, BEAT)
    assert broker.asked[1:] == [[("a", 1)], [(BEAT, 0)]]
    assert broker.subscriptions.granted() == set()


def test_an_answer_that_was_lost_with_its_connection_is_asked_for_again_and_the_old_number_means_nothing() -> None:
    broker = BrokerDouble()
    broker.subscriptions.connection_made(False, BEAT)
    broker.subscriptions.add(["a"])
    broker.subscriptions.connection_lost()
    broker.subscriptions.answered(2, [None])
    assert broker.subscriptions.granted() == set()
    broker.subscriptions.connection_made(True, BEAT)
    assert broker.asked[2:] == [[("a", 1)], [(BEAT, 0)]]


def test_what_could_not_be_sent_is_asked_with_the_next_connection() -> None:
    broker = BrokerDouble()
    broker.subscriptions.connection_made(False, BEAT)
    broker.away = True
    broker.subscriptions.add(["a"])
    broker.away = False
    broker.subscriptions.connection_lost()
    broker.subscriptions.connection_made(True, BEAT)
    assert [("a", 1)] in broker.asked


def test_a_refusal_is_named_said_and_forgotten_when_it_is_granted_later(caplog: pytest.LogCaptureFixture) -> None:
    broker = BrokerDouble()
    broker.subscriptions.add(["a", "b"])
    broker.subscriptions.connection_made(False, BEAT)
    with caplog.at_level(logging.ERROR):
        broker.subscriptions.answered(1, [None, "Not authorized"])
    assert (broker.subscriptions.granted(), broker.subscriptions.refused()) == ({"a"}, {"b"})
    assert "refused our subscription to b: Not authorized" in caplog.text
    broker.subscriptions.connection_lost()
    broker.subscriptions.connection_made(True, BEAT)
    assert broker.asked[2:] == [[("b", 1)], [(BEAT, 0)]], "it is tried again with every connection"
    broker.subscriptions.answered(3, [None])
    assert broker.subscriptions.refused() == set()


def test_what_is_no_longer_wanted_is_dropped_and_not_asked_again() -> None:
    broker = BrokerDouble()
    broker.subscriptions.add(["a", "b"])
    broker.subscriptions.connection_made(False, BEAT)
    broker.answer_all()
    broker.subscriptions.remove(["a", "left by an earlier run"])
    assert broker.dropped == [["a", "left by an earlier run"]]
    assert broker.subscriptions.granted() == {"b"}
    broker.subscriptions.connection_lost()
    broker.subscriptions.connection_made(False, BEAT)
    assert broker.asked[2:] == [[("b", 1)], [(BEAT, 0)]]


def test_many_filters_go_in_packets_of_fifty() -> None:
    broker = BrokerDouble()
    broker.subscriptions.add([f"f/{number}" for number in range(120)])
    broker.subscriptions.connection_made(False, BEAT)
    assert [len(packet) for packet in broker.asked] == [50, 50, 20, 1]
    broker.answer_all()
    assert len(broker.subscriptions.granted()) == 120


def test_a_filter_added_while_the_connection_comes_up_is_asked_for() -> None:
    """Two threads, many times: whoever is first, every filter is asked for."""
    for _ in range(200):
        broker = BrokerDouble()
        broker.subscriptions.add([f"f/{number}" for number in range(20)])
        start = threading.Barrier(2)

        def add(broker: BrokerDouble = broker, start: threading.Barrier = start) -> None:
            start.wait()
            for number in range(20, 40):
                broker.subscriptions.add([f"f/{number}"])

        thread = threading.Thread(target=add, name="adds")
        thread.start()
        start.wait()
        broker.subscriptions.connection_made(False, BEAT)
        thread.join()
        asked = [name for packet in broker.asked for name, _ in packet]
        assert sorted(asked) == sorted([BEAT, *(f"f/{number}" for number in range(40))])
