"""The read side of the store. Whoever asks only reads: the database is opened so that it cannot be written."""

from __future__ import annotations

from gateway.store.duty_queries import DutyQueries
from gateway.store.event_queries import EventQueries
from gateway.store.list_queries import ListQueries
from gateway.store.operation_queries import OperationQueries
from gateway.store.people_queries import PeopleQueries
from gateway.store.place_queries import PlaceQueries
from gateway.store.read_base import Page, Place, Sites, reading_engine
from gateway.store.record_queries import RecordQueries
from gateway.store.report_queries import ReportQueries
from gateway.store.rule_queries import RuleQueries
from gateway.store.schedule_queries import ScheduleQueries

__all__ = ["Page", "Place", "Reader", "Sites"]


class Reader(
    PlaceQueries,
    RecordQueries,
    DutyQueries,
    EventQueries,
    PeopleQueries,
    OperationQueries,
    RuleQueries,
    ScheduleQueries,
    ListQueries,
    ReportQueries,
):
    """All queries over the database at `url`. Thread-safe; opens nothing before the first query.

    Every query that takes `only` answers as if other sites did not exist; empty means all sites.
    """

    def __init__(self, url: str) -> None:
        self.engine = reading_engine(url)

    def close(self) -> None:
        """Closes the connections."""
        self.engine.dispose()
