"""Messages to people: at least once, by the next channel where the first fails, in one digest in a flood, never lost.

An attempt is handed out with the commit that records it, and its outcome comes back through the core's door. After a
restart whatever had no outcome is handed out again: a receiver may get it twice, under the same key, and never not at
all. What cannot be delivered for a day is `failed`, stands in the hand-over, and is told by an event of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

from msgspec.structs import replace

from gateway.errors import Conflict, NotFound
from gateway.model import Attempt, Delivery, HandoverItem, Notification, NotificationState, Recipient
from gateway.services.chains import EscalationBook
from gateway.services.common import Common
from gateway.services.flood import Flood
from gateway.services.health import ChannelHealth
from gateway.services.messages import digest_message
from gateway.services.moment import Moment
from gateway.services.people import People
from gateway.services.templates import plain

NOTIFY = "notification.due"
DIGEST = "notification.digest"
#: The gateway's own device: what it says of itself, it says under this name.
GATEWAY = "gateway"
_S = NotificationState
_TRIED_KEPT = 20
_REMEMBERED = 500


class Notifications:
    """All messages that are not sent, and the newest of those that are."""

    def __init__(self, common: Common, people: People, book: EscalationBook) -> None:
        self.book = book
        self.open: dict[str, Notification] = {}
        self.ended: OrderedDict[str, Notification] = OrderedDict()
        self.health = ChannelHealth()
        self._flood = Flood(common.settings.flood_count, common.settings.flood_window)
        self._common = common
        self._people = people

    def restore(self, notifications: Iterable[Notification]) -> None:
        """Takes over what is stored: all that is not sent, and the newest of the rest for the flood's count."""
        self.open.clear()
        self.ended.clear()
        self.health.clear()
        self._flood.clear()
        for one in sorted(notifications, key=lambda one: (one.created_due, one.id)):
            self.health.learn(one)
            if one.kind == "alert":
                self._flood.count(_readers(one), one)
            if one.state in (_S.SENT, _S.DIGESTED):
                self._remember(one)
                continue
            self.open[one.id] = one
            if one.state is _S.HELD:
                self._await_digest(one)
            elif one.state is _S.PENDING:
                self._common.timers.set(NOTIFY, one.id, one.next_due)

    def recover(self, moment: Moment) -> None:
        """After a restart: what was under way is handed out again, and how the channels are is said again."""
        for one in list(self.open.values()):
            if one.flying:
                self._hand_out(one, moment)
        for kind, data in self.health.report():
            moment.out.tell(GATEWAY, kind, data)

    def get(self, ident: str) -> Notification:
        """A message, sent lately or not at all. Raises `NotFound`."""
        one = self.open.get(ident) or self.ended.get(ident)
        if one is None:
            raise NotFound("notification", ident)
        return one

    def failed(self, site: str) -> list[HandoverItem]:
        """The site's messages that did not arrive: given up, or failed at least once and still tried."""
        return undelivered(one for one in self.open.values() if one.site == site)

    # Telling

    def tell(
        self, draft: Notification, people: Sequence[str], by: Sequence[str] | None, moment: Moment, *, alone: bool
    ) -> list[Notification]:
        """Tells `people` of `draft` by the channels `by` (None: all), one message for all who share their channels.

        A group's channel is used whoever is named. `alone` says that the message is never put into a digest. Where
        there are channels and none reaches anybody, the message is kept as failed.
        """
        order = tuple(self.book.channels) if by is None else tuple(name for name in by if name in self.book.channels)
        if not order:
            return []
        shared: dict[tuple[str, ...], list[str]] = {}
        for name in people:
            shared.setdefault(tuple(one for one in order if self._reaches(one, name)), []).append(name)
        unreached = shared.pop((), [])
        groups = tuple(name for name in order if not self.book.channels[name].needs)
        if not shared and groups:
            shared[groups] = list(people)
        told = [self._begin(replace(draft, people=tuple(who), channels=how), moment, alone=alone)
                for how, who in shared.items()]  # fmt: skip
        if not shared:
            names = ", ".join(unreached) or "nobody"
            why = f"no channel of {', '.join(order)} reaches {names}: they have no address for it"
            told.append(self._lost(self._new(replace(draft, people=tuple(people)), moment), why, moment))
        return told

    def _reaches(self, channel: str, name: str) -> bool:
        needs = self.book.channels[channel].needs
        person = self._people.all.get(name)
        return not needs or (person is not None and bool(person.addresses.get(needs)))

    def _new(self, draft: Notification, moment: Moment) -> Notification:
        ident = self._common.ids.next("no")
        return replace(
            draft,
            id=ident,
            key=ident,
            created_at=moment.wall,
            created_due=moment.now,
            give_up_due=moment.now + self._common.settings.give_up_after,
        )

    def _begin(self, draft: Notification, moment: Moment, *, alone: bool) -> Notification:
        one = self._new(draft, moment)
        readers = _readers(one)
        flooded = one.kind == "alert" and self._flood.holds(readers, one, alone=alone)
        if one.kind == "alert":
            self._flood.count(readers, one)
        if not flooded:
            return self._attempt(one, moment)
        one = replace(one, state=_S.HELD)
        self._await_digest(one)
        return self._save(one, moment)

    # The digest

    def _await_digest(self, one: Notification) -> None:
        readers = _readers(one)
        due = self._flood.hold(readers, one)
        self._common.timers.set(DIGEST, readers, due)

    def digest(self, readers: str, moment: Moment) -> None:
        """The timer of a flood: what was held for these readers goes out as one message."""
        held = [self.open[ident] for ident in self._flood.take(readers) if ident in self.open]
        if not held:
            return
        titles, texts = digest_message(held)
        first = min(held, key=lambda one: one.created_due)
        draft = Notification(
            id="", site=first.site, kind="digest", title=titles, text=texts, people=first.people,
            channels=first.channels, severity=first.severity, count=len(held),
        )  # fmt: skip
        one = self._begin(draft, moment, alone=True)
        for each in held:
            self._end(replace(each, state=_S.DIGESTED, digest=one.id, ended_at=moment.wall), moment)

    # Attempts

    def _attempt(self, one: Notification, moment: Moment) -> Notification:
        """Hands the next attempt out."""
        one = replace(one, attempts=one.attempts + 1, flying=True, state=_S.PENDING)
        return self._hand_out(self._due(one, self._common.settings.flight_longest, moment), moment)

    def _hand_out(self, one: Notification, moment: Moment) -> Notification:
        info = self.book.channels.get(one.channel)
        to = []
        for name in one.people:
            person = self._people.all.get(name)
            address = person.addresses.get(info.needs, "") if person is not None and info is not None else ""
            if not (info is not None and info.needs and not address):
                to.append(Recipient(person=name, name=person.name if person is not None else "", address=address))
        self.open[one.id] = one
        moment.out.deliver(Delivery(notification=one, channel=one.channel, to=tuple(to)))
        return one

    def _due(self, one: Notification, seconds: float, moment: Moment) -> Notification:
        due = moment.now + seconds
        self._common.timers.set(NOTIFY, one.id, due)
        return replace(one, next_due=due, next_at=moment.wall + seconds, version=one.version + 1)

    def due(self, ident: str, moment: Moment) -> None:
        """The timer of a message: its attempt has no outcome, or the next one is due."""
        one = self.open.get(ident)
        if one is None or one.state is not _S.PENDING:
            return
        if one.flying:
            self._failed(one, f"no answer within {self._common.settings.flight_longest:g} s", moment)
        else:
            self._attempt(one, moment)

    def outcome(self, ident: str, number: int, ok: bool, error: str, moment: Moment) -> None:
        """What became of an attempt. One that was given up and did arrive counts; one that failed late does not."""
        one = self.open.get(ident)
        if one is None or one.state is _S.HELD:
            return
        if ok:
            channel = one.channels[(number - 1) % len(one.channels)]
            self._say(self.health.works(channel), moment)
            sent = replace(one, state=_S.SENT, sent_by=channel, sent_at=moment.wall, ended_at=moment.wall)
            self._end(sent, moment)
        elif one.flying and number == one.attempts:
            self._failed(one, error, moment)

    def _failed(self, one: Notification, error: str, moment: Moment) -> None:
        error = plain(error, 300) or "it failed"
        channel = one.channel
        attempt = Attempt(number=one.attempts, channel=channel, failed_at=moment.wall, error=error)
        one = replace(one, tried=(*one.tried, attempt)[-_TRIED_KEPT:], flying=False)
        self._say(self.health.fails(channel, error), moment)
        if moment.now >= one.give_up_due:
            self._lost(one, error, moment)
        elif one.attempts % len(one.channels):
            self._attempt(one, moment)
        else:
            self._save(self._due(one, self._pause(one), moment), moment)

    def _pause(self, one: Notification) -> float:
        """Seconds until all channels are tried again: twice as long each time, scattered by the message's own name."""
        settings = self._common.settings
        rounds = one.attempts // len(one.channels)
        pause: float = min(settings.retry_first * 2.0 ** min(rounds - 1, 20), settings.retry_longest)
        scatter = crc32(f"{one.id}/{one.attempts}".encode()) / 0xFFFFFFFF
        return pause * (0.75 + 0.5 * scatter)

    def _lost(self, one: Notification, why: str, moment: Moment) -> Notification:
        """Given up: kept, loud, and there for a person to try again."""
        self._common.timers.set(NOTIFY, one.id, None)
        one = replace(
            one, state=_S.FAILED, flying=False, next_at=None, next_due=None, ended_at=moment.wall,
            version=one.version + 1,
        )  # fmt: skip
        if not one.tried:
            attempt = Attempt(number=0, channel="", failed_at=moment.wall, error=plain(why, 300))
            one = replace(one, tried=(attempt,))
        moment.note("system", "notification.fail", one.id, "failed", alert=one.alert, why=why)
        if one.kind != "test":
            moment.out.tell(GATEWAY, "gateway.notification_lost", {"notification": one.id, "reason": plain(why, 300)})
        return self._save(one, moment)

    def retry(self, one: Notification, moment: Moment) -> Notification:
        """Tries at once, however long it was to wait; a message given up lives again for a day.

        Raises `Conflict` where no channel reaches its people.
        """
        if not one.channels:
            order = tuple(
                name for name, info in self.book.channels.items()
                if not info.needs or any(self._reaches(name, person) for person in one.people)
            )  # fmt: skip
            if not order:
                raise Conflict(f"no channel reaches {', '.join(one.people) or 'anybody'}: give them an address first")
            one = replace(one, channels=order)
        one = replace(one, give_up_due=moment.now + self._common.settings.give_up_after, ended_at=None)
        return self._attempt(one, moment)

    # Keeping

    def _say(self, said: tuple[str, dict[str, Any]] | None, moment: Moment) -> None:
        if said is not None:
            moment.out.tell(GATEWAY, *said)

    def _end(self, one: Notification, moment: Moment) -> None:
        self._common.timers.set(NOTIFY, one.id, None)
        one = replace(one, flying=False, next_at=None, next_due=None, version=one.version + 1)
        self.open.pop(one.id, None)
        self._remember(one)
        moment.out.put(one)

    def _save(self, one: Notification, moment: Moment) -> Notification:
        self.open[one.id] = one
        moment.out.put(one)
        return one

    def _remember(self, one: Notification) -> None:
        self.ended[one.id] = one
        while len(self.ended) > _REMEMBERED:
            self.ended.popitem(last=False)


def _readers(one: Notification) -> str:
    """Who reads it by which channels: whom a flood is counted for."""
    return f"{','.join(one.channels)}>{','.join(one.people)}"


def undelivered(notifications: Iterable[Notification]) -> list[HandoverItem]:
    """Those of the messages that failed at least once, as a hand-over lists them."""
    return [
        HandoverItem(
            ref=one.id, title=one.title, severity=one.severity, state=str(one.state), who=", ".join(one.people),
            note=one.tried[-1].error if one.tried else "", since_at=one.created_at, until_at=one.next_at,
        )
        for one in notifications
        if one.state is _S.FAILED or (one.state is _S.PENDING and one.tried)
    ]  # fmt: skip
