"""The way from paho's thread to the core's: no message is missed, no wake is lost, the taker sleeps when it may."""

from __future__ import annotations

import signal
import threading
import time

from gateway.inbox.handover import Handover
from gateway.inbox.heartbeat import Heartbeat
from gateway.inbox.messages import InboxMessage


def message(number: int) -> InboxMessage:
    return InboxMessage("t", str(number).encode(), 0.0, 0.0, number, 1, False, False, 1)


def test_taking_returns_what_is_there_up_to_the_most_and_in_order() -> None:
    queue = Handover()
    queue.put([message(number) for number in range(5)])
    assert [m.mid for m in queue.take(3, 1.0)] == [0, 1, 2]
    assert [m.mid for m in queue.take(3, 1.0)] == [3, 4]


def test_taking_from_an_empty_queue_returns_nothing_after_the_timeout() -> None:
    start = time.monotonic()
    assert Handover().take(10, 0.05) == []
    assert time.monotonic() - start >= 0.05


def test_a_wake_is_never_lost_whether_it_comes_before_or_during_the_sleep() -> None:
    queue = Handover()
    queue.wake()
    assert queue.take(10, 300.0) == []
    timer = threading.Timer(0.05, queue.wake)
    timer.start()
    assert queue.take(10, 300.0) == []
    timer.join()


def test_a_signal_handler_may_wake_the_taker_in_the_same_thread() -> None:
    queue = Handover()
    before = signal.signal(signal.SIGALRM, lambda *_: queue.wake())
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.0007)
    try:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            assert queue.take(10, 300.0) == []
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_what_is_given_back_comes_first_and_in_its_order() -> None:
    queue = Handover()
    queue.put([message(1), message(2), message(3)])
    taken = queue.take(2, 1.0)
    queue.give_back(taken)
    assert [m.mid for m in queue.take(9, 1.0)] == [1, 2, 3]


def test_lingering_gathers_what_comes_meanwhile() -> None:
    queue = Handover()
    queue.put([message(1)])
    timer = threading.Timer(0.02, queue.put, ([message(2)],))
    timer.start()
    assert len(queue.take(9, 1.0, linger=0.2)) == 2
    timer.join()


def test_a_fast_producer_and_a_taker_that_keeps_falling_asleep_lose_nothing() -> None:
    queue, count = Handover(), 20_000
    got: list[InboxMessage] = []

    def produce() -> None:
        for number in range(count):
            queue.put([message(number)])
            if number % 97 == 0:
                time.sleep(0)

    producer = threading.Thread(target=produce, name="producer")
    producer.start()
    while len(got) < count:
        batch = queue.take(1000, 2.0)
        assert batch, f"a message was put and the taker slept on; {len(got)} of {count}"
        got += batch
    producer.join()
    assert [m.mid for m in got] == list(range(count))


def test_a_heartbeat_is_alive_only_while_its_own_echo_is_young() -> None:
    beat = Heartbeat(interval=5.0, limit=15.0)
    assert not beat.alive(100.0)
    beat.restart(100.0)
    payload = beat.due(100.0)
    assert payload is not None
    assert beat.due(104.0) is None
    assert beat.due(105.0) not in (None, payload)
    beat.echo(b"someone else 1", 101.0)
    assert not beat.alive(101.0)
    beat.echo(payload, 101.0)
    assert beat.alive(116.0)
    assert not beat.alive(116.1)
    assert not beat.overdue(114.0)
    assert beat.overdue(117.0)
