"""The part of the desk that is about schedules: what each word of `does` means, and the rounds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from gateway.errors import Conflict
from gateway.model import Actor, Event, OrderKind, Role, Round, Schedule, WorkOrder
from gateway.services.arguments import Arguments
from gateway.services.common import Common
from gateway.services.moment import Moment
from gateway.services.order_desk import OrderDesk
from gateway.services.plan_actions import PlanActions
from gateway.services.rounds import CHECKIN, WINDOW, Rounds
from gateway.services.schedule_book import (
    DRILL,
    INSPECTION,
    MAINTENANCE,
    PATROL,
    ScheduleBook,
    ScheduleDefinition,
)
from gateway.services.schedules import TICK, Hook, Schedules

_MOST_NAMED = 5


class ScheduleDesk:
    """Schedules and rounds of all sites. Other rooms put their own words into `hooks` (`report`, `roster`)."""

    def __init__(self, common: Common, book: ScheduleBook, orders: OrderDesk, plans: PlanActions) -> None:
        self._common = common
        self._orders = orders
        self._plans = plans
        self.rounds = Rounds(common)
        self.hooks: dict[str, Hook] = {
            MAINTENANCE: self._maintain,
            INSPECTION: self._inspect,
            PATROL: self.rounds.begin,
            DRILL: self._drill,
        }
        self.schedules = Schedules(common, book, self.hooks)
        self.kinds = self.schedules.kinds | {CHECKIN}
        """The kinds of events it wants to see."""

    def take(self, book: ScheduleBook, moment: Moment) -> None:
        """Other schedules from now on; the rounds that are walked keep their points."""
        self.schedules.take(book, moment)
        self.kinds = self.schedules.kinds | {CHECKIN}

    def actions(self) -> dict[str, Callable[[Arguments, Actor, Moment], Any]]:
        """The actions it answers."""
        return {**self.schedules.actions(), **self.rounds.actions()}

    def timed(self) -> dict[str, Callable[[str, Moment], None]]:
        """What comes due."""
        return {TICK: self.schedules.tick, WINDOW: self.rounds.window_ended}

    def restore(self, schedules: Iterable[Schedule] = (), rounds: Iterable[Round] = ()) -> None:
        """Takes over what is stored."""
        self.schedules.restore(schedules)
        self.rounds.restore(rounds)

    def observe(self, event: Event, moment: Moment) -> None:
        """An event of one of `kinds`."""
        self.rounds.observe(event, moment)
        self.schedules.observe(event, moment)

    # What schedules do

    def _maintain(self, definition: ScheduleDefinition, planned: float, moment: Moment) -> str:
        return self._order(definition, OrderKind.MAINTENANCE, moment)

    def _inspect(self, definition: ScheduleDefinition, planned: float, moment: Moment) -> str:
        """A round where there are points, an order to look at the devices otherwise."""
        if definition.points:
            return self.rounds.begin(definition, planned, moment)
        return self._order(definition, OrderKind.INSPECTION, moment)

    def _order(self, definition: ScheduleDefinition, kind: OrderKind, moment: Moment) -> str:
        """An order for each device; where the last one is still open, it is told that its time has come again."""
        found = [self._order_for(definition, kind, device, moment) for device in definition.devices or (None,)]
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        return ", ".join(order.number for order in found[:_MOST_NAMED]) + more

    def _order_for(
        self, definition: ScheduleDefinition, kind: OrderKind, device: str | None, moment: Moment
    ) -> WorkOrder:
        orders, by = self._orders.orders, f"schedule:{definition.id}"
        for known in orders.open.values():
            if known.schedule == definition.id and known.device == device:
                return orders.save(orders.logged(known, by, "again", "", moment), moment)
        world = self._common.world
        place = world.devices.get(device) if device is not None else None
        if device is not None and (place is None or place.site != definition.site):
            raise Conflict(f"there is no device '{device}' at site '{definition.site}'")
        title = definition.title
        if place is not None:
            title = {language: f"{text}: {place.title(language)}" for language, text in title.items()}
        order = WorkOrder(
            id=self._common.ids.next("wo"),
            number=orders.number(definition.site, moment.wall),
            site=definition.site,
            title=title,
            kind=kind,
            source="schedule",
            team=definition.team,
            skill=definition.skill,
            priority=definition.priority,
            device=device,
            zone=definition.zone or (place.zone if place is not None else None),
            schedule=definition.id,
            opened_at=moment.wall,
            opened_by=by,
            text=definition.text,
            resolve_within=definition.resolve_within,
        )
        return self._orders.given_out(orders.opened(order, by, moment), moment)

    def _drill(self, definition: ScheduleDefinition, planned: float, moment: Moment) -> str:
        actor = Actor(f"schedule:{definition.id}", Role.ENGINEER, (definition.site,))
        args: dict[str, Any] = {"plan": definition.plan, "site": definition.site, "drill": True}
        if definition.devices:
            args["device"] = definition.devices[0]
        if definition.zone is not None:
            args["zone"] = definition.zone
        return self._plans.start(Arguments(args), actor, moment).id
