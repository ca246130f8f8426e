"""Which days people work on, out of the package `holidays`: with the working days that make up for long holidays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

from gateway.services.working_time import Workdays, weekdays


def workdays_of(country: str) -> Workdays:
    """Whether a day is a working day of the country (an ISO code such as `CN`); Monday to Friday without one.

    Its table is loaded when first asked: most gateways have teams that work round the clock.
    """
    if not country:
        return weekdays
    calendar = cache(_calendar)

    def is_workday(day: date) -> bool:
        return bool(calendar(country)(day))

    return is_workday


def _calendar(country: str) -> Callable[[date], bool]:
    from holidays import country_holidays

    # It looks up further years by itself; for those not yet announced it reckons what can be reckoned.
    known = country_holidays(country)
    return known.is_working_day


def countries() -> frozenset[str]:
    """The codes that `workdays_of` knows."""
    from holidays.utils import list_supported_countries

    return frozenset(list_supported_countries())
