"""What is read of the site's files, and how a running desk takes another edition of it.

What runs keeps what it began with: a plan run its steps, an order its deadlines, a round its points, a message its
channels where they are still there. An alert whose chain is gone goes through the one that is for it now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gateway.services.chains import EscalationBook
from gateway.services.moment import Moment
from gateway.services.plan_book import PlanBook
from gateway.services.safety import Safety
from gateway.services.schedule_book import ScheduleBook
from gateway.services.teams import TeamBook

if TYPE_CHECKING:
    from gateway.services.desk import Desk


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """New editions; None for what stays as it is."""

    plans: PlanBook | None = None
    safety: Safety | None = None
    schedules: ScheduleBook | None = None
    teams: TeamBook | None = None
    escalation: EscalationBook | None = None


def put_in_force(desk: Desk, books: Books, moment: Moment) -> None:
    """From now on these are used. The newest states of kinds that new interlocks ask for are told by `desk.know`."""
    if books.plans is not None:
        desk.plans.book = books.plans
    if books.safety is not None:
        desk.commands.take_safety(books.safety)
    if books.schedules is not None:
        desk.planned.take(books.schedules, moment)
    if books.teams is not None:
        desk.orders.take_teams(books.teams)
    if books.escalation is not None:
        desk.duty.escalations.book = books.escalation
        desk.duty.notifications.book = books.escalation
