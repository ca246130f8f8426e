"""What the core process is made of, and the same core without a broker for the command line."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from gateway.app.credentials import CORE_USER, core_secret, credentials_of, session_file, write_users
from gateway.app.database import database_url
from gateway.app.definitions import load_definitions, shipped_rules
from gateway.app.files_watch import FilesWatch
from gateway.app.memory import settle
from gateway.app.messenger import Messenger, secret_of
from gateway.app.visitor_keys import FileKeys
from gateway.app.workdays import workdays_of
from gateway.config import Home, Settings, words_of
from gateway.core.core import Core, CoreSettings
from gateway.core.door_server import DoorServer
from gateway.core.editing.asking import ITSELF
from gateway.core.editing.editor import EDITS, Editor
from gateway.core.editing.folder import Folder
from gateway.core.editing.packs import Refs
from gateway.core.lock import HomeLock
from gateway.door import socket_path
from gateway.errors import ConfigError, GatehouseError, StorageFailed
from gateway.inbox.messages import MqttSettings, client_id_of
from gateway.inbox.mqtt import MqttInbox
from gateway.inbox.visitor import best_version
from gateway.model import Action, Hidden, Site
from gateway.notify import Sender
from gateway.services.desk import Desk
from gateway.services.ids import JournalIds
from gateway.services.settings import DeskSettings
from gateway.store import tables
from gateway.store.queries import Reader
from gateway.store.writer import Writer
from rules import Engine, RuleSet

_log = logging.getLogger(__name__)
_DAY = 86_400.0
#: How long a message that was not accepted is kept: the cause should be mended by then.
_LETTER_DAYS = 30
#: A batch makes a few thousand objects and lets go of them without a cycle among them: the collector need not look
#: after each 700, nor ever again at what was loaded at start.
_COLLECT = (50_000, 20, 50)


class CoreProcess:
    """The parts of one core, built and recovered. `close` gives everything back."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self.home = home
        self.settings = settings
        known = load_definitions(home, kept=True)
        self.adapters = known.adapters
        self.alarms = known.alarms
        self.known = known
        ids = JournalIds()
        self.keys = FileKeys(home.secrets / "visitor-codes.json")
        self.core = Core(
            writer=Writer(database_url(home, settings)),
            adapters=self.adapters,
            catalogue=known.catalogue,
            engine=Engine(RuleSet(), known.catalogue, {}),
            desk=Desk(
                RuleSet(),
                known.plans,
                known.catalogue,
                ids,
                desk_settings(settings),
                known.command_words,
                known.safety,
                teams=known.teams,
                schedules=known.schedules,
                workdays=workdays_of(settings.site.holidays),
                escalation=known.alarms.book,
                keys=self.keys,
            ),
            ids=ids,
            settings=_pace(settings),
            default_site=Site(id="", timezone=settings.site.timezone, lateness=settings.site.lateness_s),
            shipped=shipped_rules(),
            folder=Folder(home.rules),
            on_devices=self.tell_broker,
        )

    def recover(self) -> None:
        """Brings the core to where the last run ended. Raises `StorageFailed` where what is stored cannot be read."""
        self.keys.keys()
        try:
            self.core.recover()
        except (SQLAlchemyError, msgspec.DecodeError) as error:
            why = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise StorageFailed(
                f"what the database holds cannot be read: {why}; keep a copy of {self.home.data} and restore a backup"
            ) from error
        self.core.tell_devices()

    def check_rules(self, before: Refs, after: Refs) -> list[Hidden]:
        """What a change of the rules would have hidden, found out by a process of its own."""
        from gateway.app.rule_check import Wanted, check_apart

        home, wall = str(self.home.path), self.core.clock.wall()
        return check_apart(Wanted(home=home, settings=self.settings, before=before, after=after, wall=wall))

    def tell_broker(self) -> None:
        """Writes the embedded broker's list of credentials."""
        if self.settings.mqtt.url:
            return
        table = tables.devices
        statement = select(table.c.id, table.c.secret_hash).where(table.c.enabled, table.c.secret_hash.is_not(None))
        secrets = {str(row[0]): str(row[1]) for row in self.core.writer.select(statement)}
        write_users(self.home, credentials_of(self.core.registry.devices, self.adapters, secrets))


def run_core(home: Home, settings: Settings) -> int:
    """The core process, until SIGTERM or SIGINT. The exit code; raises `GatehouseError` where it cannot start."""
    with ExitStack() as stack:
        lock = HomeLock(home.run / "core.lock")
        lock.acquire()
        stack.callback(lock.release)
        process = CoreProcess(home, settings)
        stack.callback(process.core.close)
        core = process.core
        core.sender = sender = Sender(process.alarms.deliverer(settings, core.clock.wall), core.submit)
        stack.callback(sender.close)
        process.recover()
        settle()
        gc.set_threshold(*_COLLECT)
        _log.info("recovered: journal at %d, %d batches replayed", core.restored.journal, core.restored.replayed)
        editor = Editor(core, Folder(home.rules), process.check_rules)
        door = DoorServer(socket_path(home.path), editor.submit, core.health)
        door.start()
        stack.callback(door.stop)
        editor.start()
        stack.callback(editor.stop)
        watch = FilesWatch(
            home, core, process.known, lambda alarms: sender.use(alarms.deliverer(settings, core.clock.wall))
        )
        watch.start()
        stack.callback(watch.stop)
        core.on_changes = door.announce
        link = mqtt_settings(home, settings)
        if settings.mqtt.url and settings.mqtt.version == "auto":
            link = msgspec.structs.replace(link, version=best_version(link))
        session = session_file(home)
        inbox = MqttInbox(
            link,
            # Only a broker that has held our session before can have lost it.
            expect_session=session.exists() and session.read_text() == link.url,
            on_session_lost=lambda: _session_lost(core),
        )
        core.on_link_up = lambda: _note(session, link.url)
        if settings.maintenance.url:
            stack.callback(_messenger(home, settings, core).stop)
        inbox.subscribe(core.pipeline.router.filters)
        inbox.start()
        stack.callback(inbox.stop)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: core.stop())
        core.run(inbox)
    return 0


def _messenger(home: Home, settings: Settings, core: Core) -> Messenger:
    """The thread that tells the outside maintenance system; what was taken comes back through the core's door."""
    outside = settings.maintenance

    def act(action: Action) -> None:
        core.submit(action, lambda _result, _error: None)

    messenger = Messenger(Reader(database_url(home, settings)), act, outside.url, secret_of(outside.secret_file))
    messenger.start()
    return messenger


def _note(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except OSError as error:
        # Without it the next start cannot say that the session was lost. Nothing else hangs on it.
        _log.warning("%s could not be written: %s", file, error)


def _session_lost(core: Core) -> None:
    core.report_link("session", False, "the broker has lost our session: what devices sent meanwhile is gone")
    core.report_link("session", True)


def mqtt_settings(home: Home, settings: Settings) -> MqttSettings:
    """How the core reaches its broker. Raises `ConfigError` where the password's file cannot be read."""
    mqtt = settings.mqtt
    client = client_id_of(home.secrets)
    if not mqtt.url:
        secret = core_secret(home)
        scheme = "mqtts" if mqtt.tls_cert else "mqtt"
        host = "127.0.0.1" if mqtt.host in ("0.0.0.0", "::") else mqtt.host  # noqa: S104 - compared, not bound
        return MqttSettings(
            url=f"{scheme}://{host}:{mqtt.port}",
            client_id=client,
            username=CORE_USER,
            password=secret.password,
            window=mqtt.window,
            tls_pinned=mqtt.tls_cert,
            tls_cert=mqtt.tls_cert,
            tls_key=mqtt.tls_key,
        )
    password = ""
    if mqtt.password_file:
        try:
            with open(mqtt.password_file, encoding="utf-8") as file:
                password = file.read().strip()
        except OSError as error:
            raise ConfigError(
                "mqtt.password_file", mqtt.password_file, f"a readable file ({error.strerror})"
            ) from error
    return MqttSettings(
        url=mqtt.url,
        client_id=client,
        username=mqtt.username,
        password=password,
        version="3.1.1" if mqtt.version == "auto" else mqtt.version,
        window=mqtt.window,
        tls_ca=mqtt.tls_ca,
        tls_cert=mqtt.tls_cert,
        tls_key=mqtt.tls_key,
    )


@contextmanager
def offline_core(home: Home, settings: Settings) -> Iterator[Callable[[Action], dict[str, Any]]]:
    """The core's door while no core runs: the same code, one action at a time, nothing received or published."""
    with ExitStack() as stack:
        lock = HomeLock(home.run / "core.lock")
        lock.acquire()
        stack.callback(lock.release)
        process = CoreProcess(home, settings)
        stack.callback(process.core.close)
        process.recover()

        def act(action: Action) -> dict[str, Any]:
            outcome: list[tuple[Any, GatehouseError | None]] = []
            process.core.submit(action, lambda result, error: outcome.append((result, error)))
            process.core.turn([])
            result, error = outcome[0]
            if action.name in EDITS:
                editor.settle()
            if error is not None:
                raise error
            return result if isinstance(result, dict) else {"result": result}

        def act_itself(name: str, args: dict[str, Any]) -> bool:
            act(Action(name=name, args=args, actor=ITSELF))
            return True

        editor = Editor(process.core, Folder(home.rules), process.check_rules, act=act_itself)

        yield act


def desk_settings(settings: Settings) -> DeskSettings:
    """The limits and policies of the services."""
    commands, outside, notify = settings.commands, settings.maintenance, settings.notify
    return DeskSettings(
        outside_teams=words_of(outside.teams) if outside.url else (),
        flood_count=int(notify.flood_count),
        flood_window=notify.flood_window_s,
        give_up_after=notify.give_up_h * 3600.0,
        shelve_second_person=settings.alerts.shelve_critical,
        shelve_second_within=settings.alerts.shelve_second_s,
        confirm_within=commands.confirm_s,
        second_person=words_of(commands.second_person),
        second_within=commands.second_person_s,
        plans_second_person=words_of(settings.plans.second_person),
        observe_within=commands.observe_s,
        opens_limit=commands.opens,
        opens_window=commands.opens_window_s,
        stale_input=commands.stale_s,
    )


def _pace(settings: Settings) -> CoreSettings:
    core, store = settings.core, settings.store
    retention: Mapping[str, float] = {
        "journal": store.journal_days * _DAY,
        "snapshots": store.journal_days * _DAY,
        "events": store.event_days * _DAY,
        "readings": store.reading_days * _DAY,
        "changes": store.changes_hours * 3600.0,
        "decisions": store.event_days * _DAY,
        "dead_letters": _LETTER_DAYS * _DAY,
    }
    return CoreSettings(
        batch=core.batch,
        linger=core.linger_ms / 1000.0,
        snapshot_every=core.snapshot_s,
        remember_ids=core.remember_ids,
        redelivery=core.redelivery_s,
        max_payload=settings.mqtt.max_payload,
        retention=retention,
    )
