"""A community of two sites in a database of its own, the API over it, and callers of every kind."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import insert

from gateway.api.app import create_app, make_room, middleware_of
from gateway.api.settings import ApiSettings, Definitions
from gateway.catalogue import load_catalogue
from gateway.model import (
    Alert,
    AlertState,
    Catalogue,
    Command,
    Device,
    DeviceList,
    Evidence,
    Notification,
    Outage,
    Pass,
    PlanRun,
    Roster,
    Severity,
    Shift,
    StepRun,
    WorkOrder,
)
from gateway.store import tables as t
from gateway.store.queries import Reader
from tests.api.core_double import CoreDouble, encoded

ROLES = ("viewer", "operator", "engineer", "admin")
NOW = 1_700_000_000.0


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer secret-{name}"}


def an_alert(id: str, site: str = "east", **more: Any) -> Alert:
    return Alert(**{
        "id": id, "site": site, "rule": "parking.blocked", "scope": f"device:{site}-cam", "severity": Severity.HIGH,
        "state": AlertState.UNACKNOWLEDGED, "title": {"en": "Plate 京A12345 refused", "zh": "京A12345 被拒绝"},
        "device": f"{site}-cam", "raised_at": NOW, "last_at": NOW, "values": {"plate": "京A12345", "direction": "in"},
        "evidence": (Evidence(7, f"{site}-cam", "parking.vehicle", NOW, {"plate": "京A12345", "direction": "in"}),),
        **more,
    })  # fmt: skip


def fill(core: CoreDouble) -> None:
    """Two sites, east and west, with one of everything in each, and a rule pack."""
    core.put_pack("anna", "[]")
    for site in ("east", "west"):
        core.run(
            insert(t.sites).values(id=site, name={"en": site, "zh": "东区"}, timezone="Asia/Shanghai", lateness=60.0),
            insert(t.zones).values(id=f"{site}-gate", site=site, name={"en": "Gate"}, kind="gate", parent=None),
            insert(t.device_states).values(
                device=f"{site}-cam", site=site, online=True, last_at=NOW, skew=0.2, messages=5,
                kinds='{"parking.vehicle":{"data":{"plate":"京A12345","direction":"in"},"received":1700000000.0,"time":1700000000.0}}',
                shadow=None,
            ),
            insert(t.quarantine).values(
                adapter="vzenith", external_id=f"{site}-new", site=site, first_at=NOW, last_at=NOW, messages=3,
                topic="x",
            ),
            insert(t.dead_letters).values(
                received=NOW, fate="undecodable", adapter="vzenith", topic="x", device=f"sn-{site}", place="body",
                reason="plate '京A12345' is odd", size=3, payload=b"abc", state="kept",
            ),
        )  # fmt: skip
        core.put_device(
            Device(id=f"{site}-cam", site=site, adapter="vzenith", external_id=f"sn-{site}", type="camera",
                   name={"en": "Camera", "zh": "相机"}, zone=f"{site}-gate")
        )  # fmt: skip
        core.put_alert(an_alert(f"al-{site}", site))
        core.put_order(
            WorkOrder(id=f"wo-{site}", number=f"WO-1-{site}", site=site, title={"en": "Mend"}, opened_at=NOW)
        )
        core.put_run(
            PlanRun(id=f"run-{site}", plan="fire", site=site, title={"en": "Fire"}, started_at=NOW,
                    steps=(StepRun(id="look", title={"en": "Look"}, complete_by=NOW + 60, complete_due=5.0),))
        )  # fmt: skip
        core.put_command(Command(id=f"cmd-{site}", site=site, device=f"{site}-cam", name="raise", requested_at=NOW))
        core.put_roster(Roster(id=f"roster-{site}", site=site, team="guards"))
        core.put_notification(
            Notification(id=f"no-{site}", site=site, kind="alert", title={"en": site}, key=f"no-{site}")
        )
        core.put_shift(Shift(id=f"shift-{site}", site=site, operator="user:anna", started_at=NOW))
        core.put_outage(
            Outage(id=f"oo-{site}", site=site, scope="device", target=f"{site}-cam", by="user:e", reason="lens")
        )
        core.put_device_list(DeviceList(id=f"{site}-cam", site=site, kind="plate", serial=f"{site}-cam"))
        core.put_pass(Pass(id=f"pass-{site}", site=site, kind="plate", value="京A12345", name="Zhang San"))
    core.run(
        *(
            insert(t.events).values(
                seq=number, site=site, device=f"{site}-cam", kind="parking.vehicle", time=NOW + number,
                received=NOW + number, late=False, replay=False, key=b"0" * 16, digest=1,
                data='{"plate":"京A12345","direction":"in"}',
            )
            for number, site in enumerate(("east", "west") * 5, 1)
        ),
        insert(t.ledger).values([{"fate": "received", "count": 12}, {"fate": "accepted", "count": 10},
                                 {"fate": "duplicate", "count": 2}]),
        insert(t.audit).values(id=1, time=NOW, actor="user:anna", action="pass.put", target="pass:1", outcome="done",
                               detail='{"value":"京A12345"}', previous="0", hash="1"),
    )  # fmt: skip


def add_callers(core: CoreDouble) -> None:
    """A token of every role for all sites, the same for the site west, and some that no longer hold."""
    for role in ROLES:
        core.add_token(role, role, _hash(f"secret-{role}"), [])
        core.add_token(f"west-{role}", role, _hash(f"secret-west-{role}"), ["west"])
    core.add_token("expired", "admin", _hash("secret-expired"), [], expires_at=5.0)
    core.add_token("revoked", "admin", _hash("secret-revoked"), [], revoked_at=5.0)
    core.add_user("anna", "operator", [])
    for name, user, expires in (("anna", "anna", time.time() + 3600), ("old", "anna", 5.0)):
        core.run(insert(t.sessions).values(
            hash=_hash(f"cookie-{name}"), kind="session", user=user, csrf=f"csrf-{name}", created_at=1.0,
            expires_at=expires,
        ))  # fmt: skip


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the community in it, made once and copied for each test."""
    path = tmp_path_factory.mktemp("filled") / "gatehouse.db"
    core = CoreDouble(f"sqlite:///{path}")
    t.metadata.create_all(core.engine)
    fill(core)
    add_callers(core)
    core.engine.dispose()
    return path


@pytest.fixture
def database(filled: Path, tmp_path: Path) -> str:
    path = tmp_path / "gatehouse.db"
    shutil.copy(filled, path)
    return f"sqlite:///{path}"


@pytest.fixture
def core(database: str) -> Iterator[CoreDouble]:
    double = CoreDouble(database)
    yield double
    double.engine.dispose()


def a_page(place: Path) -> Path:
    """A page's folder in `place`, with a secret beside it and a link to that inside."""
    folder = place / "static"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text('<html><script type="importmap">{"imports":{}}</script></html>')
    (folder / "js" / "main.js").write_text("export {};")
    (place / "secret.txt").write_text("canary-secret")
    (folder / "link.txt").symlink_to(place / "secret.txt")
    return folder


@pytest.fixture
def page_folder(tmp_path: Path) -> Path:
    return a_page(tmp_path)


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture
def settings(page_folder: Path, catalogue: Catalogue) -> ApiSettings:
    rule = {"id": "parking.blocked", "title": {"en": "Refused"}}
    return ApiSettings(
        definitions=Definitions(
            catalogue=catalogue,
            rules=(rule,),
            shipped_packs={"access": "[]"},
            plans=({"id": "fire", "title": {"en": "Fire"}},),
        ),
        static=page_folder,
        request_rate=10_000,
        request_burst=10_000,
        version="0.0-test",
    )


@pytest.fixture
def make_app(core: CoreDouble, database: str, settings: ApiSettings) -> Iterator[Callable[..., Any]]:
    readers: list[Reader] = []

    def make(**changed: Any) -> Any:
        reader = Reader(database)
        readers.append(reader)
        return create_app(msgspec.structs.replace(settings, **changed), reader, core)

    yield make
    for reader in readers:
        reader.close()


@pytest.fixture(scope="session")
def built(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The routes, made once: it is the room behind them that a test has of its own."""
    folder = a_page(tmp_path_factory.mktemp("page"))
    settings = ApiSettings(definitions=Definitions(catalogue=catalogue), static=folder)
    return create_app(settings, Reader("sqlite:////none.db"), CoreDouble("sqlite://"))


@pytest.fixture
def app(built: Any, settings: ApiSettings, database: str, core: CoreDouble) -> Iterator[Any]:
    reader = Reader(database)
    built.state.room = make_room(settings, reader, core)
    built.user_middleware = middleware_of(built.state.room)
    built.middleware_stack = None
    yield built
    reader.close()


@pytest.fixture
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1") as opened:
        yield opened


__all__ = ["NOW", "ROLES", "an_alert", "bearer", "encoded"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
