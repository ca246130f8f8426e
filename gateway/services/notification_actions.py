"""What people, and the sender, do with messages: try again, send a test, and say what became of an attempt."""

from __future__ import annotations

from typing import Any

from gateway.errors import Conflict, Forbidden, Invalid, NotFound
from gateway.model import Actor, Notification, NotificationState, Role
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.notifications import Notifications
from gateway.services.people import People
from gateway.services.permission import demand, demand_sight

#: Who reports the outcome of an attempt: the sender, which runs beside the core.
SENDER = "system:sender"


class NotificationActions:
    """The actions `notification.*`."""

    def __init__(self, notifications: Notifications, people: People, common: Common) -> None:
        self._notifications = notifications
        self._people = people
        self._common = common

    def retry(self, args: Arguments, actor: Actor, moment: Moment) -> Notification:
        """`notification.retry{notification}`: at once, for one that waits or was given up. For operators."""
        ident = args.ident("notification")
        args.end()
        one = self._notifications.get(ident)
        demand_sight(actor, one.site, "notification", ident)
        demand(actor, Role.OPERATOR, "sending a message again")
        if one.state not in (NotificationState.PENDING, NotificationState.FAILED):
            raise Conflict(f"notification '{ident}' is {one.state}: there is nothing to try again")
        if one.flying:
            raise Conflict(f"notification '{ident}' is being sent by {one.channel} just now")
        moment.note(actor.name, "notification.retry", ident)
        return self._notifications.retry(one, moment)

    def test(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`notification.test{channel?, to?, site?}`: a message that says that it is a test, by one channel or by each.

        `to` is the person it is for; channels that speak to a group need none. Needs the engineer's role.
        """
        channel, to = args.maybe_ident("channel"), args.maybe_text("to", 64)
        site = args.maybe_ident("site") or next(iter(self._common.world.sites), "gatehouse")
        args.end()
        demand(actor, Role.ENGINEER, "testing how people are told")
        demand_sight(actor, site, "site", site)
        channels = self._notifications.book.channels
        if channel is not None and channel not in channels:
            raise NotFound("channel", channel)
        if to and to not in self._people.all:
            raise NotFound("person", to)
        if not channels:
            raise Conflict("there are no channels: describe them in channels.yaml")
        names = [channel] if channel is not None else list(channels)
        sent = []
        for name in names:
            if channels[name].needs and not to:
                if channel is not None:
                    raise Invalid("to", f"channel '{name}' needs the {channels[name].needs} of a person: say whose")
                continue
            draft = Notification(
                id="", site=site, kind="test",
                title={"en": "[TEST] Gatehouse: a test of this channel", "zh": "[测试] Gatehouse：通道测试"},
                text={
                    "en": f"Sent by {actor.name}. Nothing has happened.",
                    "zh": f"由 {actor.name} 发送，无需处理。",
                },
            )  # fmt: skip
            sent += self._notifications.tell(draft, [to] if to else [], [name], moment, alone=True)
        moment.note(actor.name, "notification.test", channel or "all", to=to)
        return {"notifications": [one.id for one in sent]}

    def outcome(self, args: Arguments, actor: Actor, moment: Moment) -> dict[str, Any]:
        """`notification.outcome{notification, attempt, ok, error?}`: from the sender alone."""
        ident, number = args.ident("notification"), int(args.number("attempt", 0, 1e9))
        ok, error = args.flag("ok"), args.maybe_text("error")
        args.end()
        if actor.name != SENDER:
            raise Forbidden("only the sender says what became of a message")
        self._notifications.outcome(ident, number, ok, error, moment)
        return {}
