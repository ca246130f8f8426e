"""The API put together."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware import Middleware

from gateway import __version__
from gateway.api import (
    alerts,
    audit,
    backtests,
    commands,
    dead_letters,
    device_lists,
    devices,
    events,
    explaining,
    health,
    history,
    incident,
    ingest,
    maintenance,
    notifications,
    openapi,
    order_files,
    order_import,
    order_print,
    order_steps,
    outages,
    passes,
    people,
    places,
    plans,
    problems,
    quarantine,
    reports,
    requests,
    rosters,
    rule_packs,
    rules,
    schedules,
    session,
    shifts,
    status,
    stream,
    tokens,
    users,
    work_orders,
)
from gateway.api.auth import PREFIX
from gateway.api.backtest_runs import Runs
from gateway.api.frames import Framer
from gateway.api.hub import Hub
from gateway.api.limits import Buckets, EdgeLimits, Limits
from gateway.api.page import Page
from gateway.api.present import Presenter
from gateway.api.questions import Questions
from gateway.api.remembered import Remembered
from gateway.api.room import Room
from gateway.api.rules_in_force import RulesInForce
from gateway.api.security_headers import PagePolicy, SecurityHeaders
from gateway.api.settings import ApiSettings, Door
from gateway.api.sign_in import Gatekeeper
from gateway.history import History, ReadingsHistory
from gateway.store.queries import Reader

_RESOURCES = (
    health, status, places, devices, events, history, alerts, incident, order_import, work_orders, order_steps,
    order_files, order_print, maintenance, reports, requests, schedules, plans, commands, passes, device_lists, outages,
    dead_letters, quarantine, audit, backtests, explaining, rule_packs, rules, people, rosters, shifts,
    notifications, session, users, tokens, ingest, stream, openapi,
)  # fmt: skip


def create_app(
    settings: ApiSettings,
    reader: Reader,
    door: Door,
    history: History | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """The API over a store to read and a door to the core. `clock` is the wall clock."""
    room = make_room(settings, reader, door, history, clock)

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        room.hub.start()
        try:
            yield
        finally:
            await room.backtests.close()
            await room.hub.close()

    app = FastAPI(
        title="Gatehouse",
        summary="The open IoT gateway of smart communities.",
        version=settings.version or __version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=running,
        redirect_slashes=False,
        middleware=middleware_of(room),
    )
    app.state.room = room
    problems.install(app)
    app.include_router(session.link_router, prefix=PREFIX)
    for resource in _RESOURCES:
        app.router.routes.extend(resource.router.routes)
    app.include_router(status.metrics_router)
    app.include_router(session.link_router)
    _describe_once(app)
    if settings.static is not None:
        app.mount("/", Page(settings.static), name="page")
    return app


def middleware_of(room: Room) -> list[Middleware]:
    """What stands before all routes, outermost first."""
    settings = room.settings
    return [
        Middleware(SecurityHeaders, page=PagePolicy(settings.static), tls=settings.tls),
        Middleware(EdgeLimits, room.limits, settings.max_body, settings.body_timeout, settings.max_file),
    ]


def make_room(
    settings: ApiSettings,
    reader: Reader,
    door: Door,
    history: History | None = None,
    clock: Callable[[], float] = time.time,
) -> Room:
    """Everything the routes use."""
    catalogue = settings.definitions.catalogue
    presenter = Presenter(catalogue, settings.definitions.command_words)
    return Room(
        settings=settings,
        reader=reader,
        door=door,
        history=history or ReadingsHistory(reader.engine, catalogue),
        presenter=presenter,
        hub=Hub(reader, door, Framer(reader, presenter), settings, clock),
        limits=Limits(
            Buckets("requests", settings.request_rate, settings.request_burst),
            Buckets("commands", settings.command_rate, settings.command_burst),
            Buckets(
                "requests from this address", settings.requests_per_hour / 3600, max(1.0, settings.requests_per_hour)
            ),
        ),
        gatekeeper=Gatekeeper(),
        remembered=Remembered(),
        backtests=Runs(settings.command, clock),
        rules=RulesInForce(settings.definitions, reader),
        questions=Questions(settings.command),
        clock=clock,
        started_at=clock(),
    )


def _describe_once(app: FastAPI) -> None:
    """The description is made when first asked for, and kept."""

    def described() -> dict[str, object]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.describe(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]
