"""Settings: one YAML file in the home, overridden by the environment, validated at start.

`gatehouse.yaml` holds sections of keys; every key can also be given as `GATEHOUSE_<SECTION>_<KEY>` in the environment.
A wrong setting names its file, line, value and what was expected. Secrets are not settings: they live in files of
mode 0600 under `secrets/`; the one that can stand here, a database's password in `store.url`, is never shown.
"""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
import yaml

from gateway.errors import ConfigError

FILE_NAME = "gatehouse.yaml"
_COUNTRY = re.compile(r"[A-Z]{2}")
_WEB = re.compile(r"https?://[^\s@/]+(/\S*)?")
_WORDS = {"int": "a whole number", "float": "a number", "str": "a text", "object": "keys with values under it"}


class ApiSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The HTTP API and the page. `host` 127.0.0.1 keeps them on this machine; give a certificate before opening it."""

    host: str = "127.0.0.1"
    port: int = 8080
    tls_cert: str = ""
    tls_key: str = ""
    max_streams: int = 200
    session_hours: float = 12.0


class MqttSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker. An empty `url` means the embedded one, which listens on `host`:`port`."""

    url: str = ""
    username: str = ""
    password_file: str = ""
    version: str = "auto"
    host: str = "127.0.0.1"
    port: int = 1883
    window: int = 2000
    max_payload: int = 262_144
    sync: str = "interval"
    websocket_port: int = 0
    tls_cert: str = ""
    tls_key: str = ""
    tls_ca: str = ""


class StoreSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The database. An empty `url` means SQLite in the home; `postgresql+psycopg://…` names a server."""

    url: str = ""
    journal_days: float = 7.0
    event_days: float = 190.0
    reading_days: float = 400.0
    changes_hours: float = 24.0


class CoreSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The core's own pace. `batch` messages or `linger_ms`, whichever comes first, make a transaction."""

    batch: int = 1000
    linger_ms: float = 0.0
    snapshot_s: float = 30.0
    remember_ids: int = 200_000
    redelivery_s: float = 5.0


class SiteSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults for sites that devices name and nobody described."""

    timezone: str = "Asia/Shanghai"
    lateness_s: float = 60.0
    holidays: str = "CN"


class RequestsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The residents' form at `/request/`. `sites` names the sites that offer it, or `*`; empty means none: nobody."""

    sites: str = ""
    per_hour: float = 12.0
    language: str = "zh"


class MaintenanceSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outside maintenance system. Empty `url`: none. `teams` whose orders it is told of, `*` for all."""

    url: str = ""
    teams: str = "*"
    secret_file: str = ""


class NotifySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages to people. `allow` names hosts, addresses and networks to which webhooks may lead though not public."""

    allow: str = ""
    flood_count: int = 5
    flood_window_s: float = 60.0
    give_up_h: float = 24.0

    @property
    def allowed(self) -> tuple[str, ...]:
        """The entries of `allow`."""
        return tuple(entry for entry in re.split(r"[,\s]+", self.allow) if entry)


class CommandsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Commands of people, programs and rules. `second_person` names command words, or `word:type of device`."""

    confirm_s: float = 10.0
    second_person: str = "unlock_all"
    second_person_s: float = 60.0
    observe_s: float = 5.0
    opens: int = 20
    opens_window_s: float = 10.0
    stale_s: float = 10.0


class PlansSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Emergency plans. `second_person` names the plans, as patterns, whose real start another person must confirm."""

    second_person: str = ""


class AlertsSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Alerts. `shelve_critical`: two people may shelve a critical one; the first one's wish waits `shelve_second_s`."""

    shelve_critical: bool = True
    shelve_second_s: float = 300.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be set."""

    api: ApiSection = ApiSection()
    mqtt: MqttSection = MqttSection()
    store: StoreSection = StoreSection()
    core: CoreSection = CoreSection()
    site: SiteSection = SiteSection()
    notify: NotifySection = NotifySection()
    commands: CommandsSection = CommandsSection()
    requests: RequestsSection = RequestsSection()
    maintenance: MaintenanceSection = MaintenanceSection()
    plans: PlansSection = PlansSection()
    alerts: AlertsSection = AlertsSection()


class Home:
    """The folder that holds everything of one gateway, and where things are in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.config = self.path / FILE_NAME
        self.data = self.path / "data"
        self.run = self.path / "run"
        self.logs = self.path / "logs"
        self.secrets = self.path / "secrets"
        self.broker = self.path / "broker"
        self.rules = self.path / "rules"
        self.plans = self.path / "plans"
        self.commands = self.path / "commands"
        self.mappings = self.path / "mappings"
        self.schedules = self.path / "schedules"
        self.files = self.path / "files"
        self.teams = self.path / "teams.yaml"
        self.channels = self.path / "channels.yaml"
        self.escalation = self.path / "escalation.yaml"

    def prepare(self) -> None:
        """Makes the folders, readable by their owner alone. Raises `ConfigError` where that is impossible."""
        folders = (self.path, self.data, self.run, self.logs, self.secrets, self.broker)
        for folder in (*folders, self.rules, self.plans, self.commands, self.mappings, self.schedules, self.files):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(
                    "home", str(folder), f"a folder this user may write ({error.strerror}); choose one with --home"
                ) from error
        if not os.access(self.data, os.W_OK):
            raise ConfigError("home", str(self.data), "a folder this user may write; choose one with --home")


def default_home() -> Path:
    """`GATEHOUSE_HOME`, or `~/.gatehouse`."""
    return Path(os.environ.get("GATEHOUSE_HOME") or "~/.gatehouse")


def load_settings(
    home: Home, environment: Mapping[str, str], overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """The settings of `home`: defaults, then the file, then the environment, then `overrides` (the command line).

    Raises `ConfigError` naming file and line, or the variable, for anything unknown or of the wrong kind.
    """
    document: dict[str, Any] = {}
    lines: dict[str, int] = {}
    if home.config.exists():
        document, lines = _read(home.config)
    sources = {path: f"{home.config}:{line}: {path}" for path, line in lines.items()}
    for section, field in _fields():
        name = f"GATEHOUSE_{section}_{field}".upper()
        if name in environment:
            document.setdefault(section, {})[field] = _typed(section, field, environment[name])
            sources[f"{section}.{field}"] = name
    for section, values in (overrides or {}).items():
        for field, value in values.items():
            if value is not None:
                document.setdefault(section, {})[field] = value
                sources[f"{section}.{field}"] = f"--{section}-{field}"
    return _convert(document, sources)


def _fields() -> list[tuple[str, str]]:
    sections = msgspec.structs.fields(Settings)
    return [(section.name, field.name) for section in sections for field in msgspec.structs.fields(section.type)]


def _typed(section: str, field: str, text: str) -> Any:
    """A variable's text as the type of its setting, or as text where it does not fit, for the check to refuse."""
    section_type = next(item.type for item in msgspec.structs.fields(Settings) if item.name == section)
    kind = next(item.type for item in msgspec.structs.fields(section_type) if item.name == field)
    try:
        return kind(text) if kind in (int, float) else text
    except ValueError:
        return text


def _read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's document, and the line of each key by its dotted path."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), str(error), "a readable UTF-8 file") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise ConfigError(where, getattr(error, "problem", str(error)), "valid YAML") from error
    lines: dict[str, int] = {}
    _lines(node, "", lines)
    if not isinstance(document, dict):
        raise ConfigError(f"{path}:1", document, "sections such as 'api:' with their keys under them")
    return document, lines


def _lines(node: yaml.Node | None, prefix: str, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}.{key.value}" if prefix else str(key.value)
            lines[path] = key.start_mark.line + 1
            _lines(value, path, lines)


def _convert(document: dict[str, Any], sources: Mapping[str, str]) -> Settings:
    known = {section: {f for s, f in _fields() if s == section} for section, _ in _fields()}
    for section, body in document.items():
        if section not in known:
            raise ConfigError(sources.get(str(section), str(section)), section, _one_of(str(section), known))
        for field in body if isinstance(body, dict) else ():
            if field not in known[section]:
                where = sources.get(f"{section}.{field}", f"{section}.{field}")
                raise ConfigError(where, field, _one_of(str(field), known[section]))
    try:
        settings = msgspec.convert({key: body or {} for key, body in document.items()}, Settings)
    except msgspec.ValidationError as error:
        found = re.search(r"at `\$\.([\w.]+)`", str(error))
        path = found.group(1) if found else ""
        wanted = re.search(r"Expected `(\w+)", str(error))
        expected = _WORDS.get(wanted.group(1), wanted.group(1)) if wanted else str(error)
        raise ConfigError(sources.get(path, path), _value(document, path), expected) from error
    _check(settings, sources)
    return settings


def _one_of(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"'{close[0]}'" if close else "one of " + ", ".join(sorted(known))


def _value(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for part in path.split(".") if path else ():
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _check(settings: Settings, sources: Mapping[str, str]) -> None:
    """What types cannot say."""

    def require(path: str, value: object, good: bool, expected: str) -> None:
        if not good:
            raise ConfigError(sources.get(path, path), value, expected)

    for path, port, least in (
        ("api.port", settings.api.port, 1),
        ("mqtt.port", settings.mqtt.port, 1),
        ("mqtt.websocket_port", settings.mqtt.websocket_port, 0),
    ):
        require(path, port, least <= port <= 65535, f"a port from {least} to 65535")
    require("mqtt.sync", settings.mqtt.sync, settings.mqtt.sync in ("interval", "always"), "'interval' or 'always'")
    require("mqtt.version", settings.mqtt.version, settings.mqtt.version in ("auto", "3.1.1", "5"), "auto, 3.1.1 or 5")
    require("mqtt.window", settings.mqtt.window, 1 <= settings.mqtt.window <= 65535, "a number from 1 to 65535")
    require("core.batch", settings.core.batch, 1 <= settings.core.batch <= 10_000, "a number from 1 to 10000")
    require("mqtt.url", settings.mqtt.url, _is_broker(settings.mqtt.url), "mqtt://host:port or mqtts://host:port")
    store, core, site, api = settings.store, settings.core, settings.site, settings.api
    for path, number in (
        ("store.journal_days", store.journal_days),
        ("store.event_days", store.event_days),
        ("store.reading_days", store.reading_days),
        ("store.changes_hours", store.changes_hours),
        ("core.snapshot_s", core.snapshot_s),
        ("api.session_hours", api.session_hours),
        ("api.max_streams", api.max_streams),
        ("mqtt.max_payload", settings.mqtt.max_payload),
        ("notify.flood_count", settings.notify.flood_count),
        ("notify.flood_window_s", settings.notify.flood_window_s),
        ("notify.give_up_h", settings.notify.give_up_h),
        ("alerts.shelve_second_s", settings.alerts.shelve_second_s),
        ("commands.confirm_s", settings.commands.confirm_s),
        ("commands.second_person_s", settings.commands.second_person_s),
        ("commands.observe_s", settings.commands.observe_s),
        ("commands.opens", settings.commands.opens),
        ("commands.opens_window_s", settings.commands.opens_window_s),
        ("commands.stale_s", settings.commands.stale_s),
    ):
        require(path, number, 0 < number < float("inf"), "a number above 0")
    for path, number in (
        ("core.linger_ms", core.linger_ms),
        ("core.remember_ids", core.remember_ids),
        ("core.redelivery_s", core.redelivery_s),
        ("site.lateness_s", site.lateness_s),
    ):
        require(path, number, 0 <= number < float("inf"), "a number from 0")
    country = site.holidays
    require(
        "site.holidays", country, not country or _COUNTRY.fullmatch(country) is not None, "a code such as CN, or ''"
    )
    requests, maintenance = settings.requests, settings.maintenance
    require("requests.per_hour", requests.per_hour, 0 < requests.per_hour <= 3600, "a number from above 0 to 3600")
    require("requests.language", requests.language, requests.language in ("zh", "en"), "zh or en")
    url = maintenance.url
    require("maintenance.url", without_password(url), not url or _WEB.fullmatch(url) is not None, "an http(s) URL")
    require("site.timezone", site.timezone, site.timezone in zoneinfo.available_timezones(), "an IANA time zone")
    known = not store.url or store.url.startswith(("sqlite:///", "postgresql+psycopg://"))
    require("store.url", without_password(store.url), known, "sqlite:///path or postgresql+psycopg://user@host/name")
    both = bool(settings.api.tls_cert) == bool(settings.api.tls_key)
    require("api.tls_key", settings.api.tls_key, both, "both api.tls_cert and api.tls_key, or neither")


def require_files(settings: Settings) -> None:
    """Raises `ConfigError` for a file that a setting names and this user cannot read."""
    for section, name in (
        ("api", "tls_cert"),
        ("api", "tls_key"),
        ("mqtt", "tls_cert"),
        ("mqtt", "tls_key"),
        ("mqtt", "tls_ca"),
        ("mqtt", "password_file"),
        ("maintenance", "secret_file"),
    ):
        path = getattr(getattr(settings, section), name)
        if path and not (os.path.isfile(path) and os.access(path, os.R_OK)):
            raise ConfigError(f"{section}.{name}", path, "a file that is there and that this user may read")


def words_of(text: str) -> tuple[str, ...]:
    """The words of a setting that names several, divided by commas or spaces."""
    return tuple(text.replace(",", " ").split())


def without_password(url: str) -> str:
    """A database's URL as it may be shown."""
    return re.sub(r"(://[^:@/]*):[^@]*@", r"\1:***@", url)


def _is_broker(url: str) -> bool:
    return not url or re.fullmatch(r"mqtts?://[\w.\-\[\]:]+", url) is not None
