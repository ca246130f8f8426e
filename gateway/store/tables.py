"""The tables. Columns that are searched are columns; the rest of a record is its JSON `body`.

Times are Unix seconds on the wall clock unless the column is called `at` or ends in `_due` (the steady clock).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()
#: SQLite numbers a row itself only under INTEGER PRIMARY KEY; PostgreSQL wants 64 bits.
Serial = BigInteger().with_variant(Integer, "sqlite")

sites = Table(
    "sites",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", JSON, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("lateness", Float, nullable=False),
)

zones = Table(
    "zones",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False, index=True),
    Column("name", JSON, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("parent", String(64)),
)

devices = Table(
    "devices",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False, index=True),
    Column("adapter", String(64), nullable=False),
    Column("external_id", String(128), nullable=False),
    Column("type", String(32), nullable=False),
    Column("name", JSON, nullable=False),
    Column("zone", String(64)),
    Column("building", String(64)),
    Column("connected_via", String(64)),
    Column("powered_by", String(64)),
    Column("timezone", String(64)),
    Column("report_interval", Float, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("secret_hash", String(128)),
    Column("created_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    UniqueConstraint("adapter", "external_id"),
)

#: What is known of a device now. `kinds` maps a kind to {"data", "received", "time"} of its newest event.
device_states = Table(
    "device_states",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("online", Boolean),
    Column("last_at", Float, nullable=False),
    Column("skew", Float),
    Column("messages", Integer, nullable=False),
    Column("kinds", Text, nullable=False),
    Column("shadow", Text),
)

#: Discrete events. `seq` is the event's place in the journal.
events = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=False),
    Column("site", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("time", Float, nullable=False),
    Column("received", Float, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("replay", Boolean, nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index("events_device", "device", "seq"),
    Index("events_kind", "kind", "seq"),
)

#: Numeric history until it moves to the archive: one row an event, its fields as JSON.
readings = Table(
    "readings",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=False),
    Column("site", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("time", Float, nullable=False),
    Column("received", Float, nullable=False),
    Column("late", Boolean, nullable=False),
    Column("replay", Boolean, nullable=False),
    Column("key", LargeBinary(16), nullable=False),
    Column("digest", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index("readings_device", "device", "time"),
)

#: What lists are chosen by stands in their indexes, so that no list reads the records it leaves out.
_ALERT_LIST = ("raised_at", "id", "state", "severity", "site", "rule", "parent", "device")
_ORDER_LIST = ("opened_at", "id", "state", "site", "team", "kind", "source", "assignee", "device", "alert")
#: Queries must spell it like this for the indexes of what is not closed to be of use.
_UNFINISHED = text("state <> 'closed'")
_FOLDED = text("parent is not null")

#: `aside` is why an open one is put aside: `shelved`, `suppressed` or `out_of_service`; null otherwise.
alerts = Table(
    "alerts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("rule", String(128), nullable=False),
    Column("scope", String(128), nullable=False),
    Column("device", String(64)),
    Column("raised_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("parent", String(64)),
    Column("aside", String(16)),
    Index("alerts_parent", "parent", sqlite_where=_FOLDED, postgresql_where=_FOLDED),
    Index("alerts_state", "state", "raised_at"),
    Index("alerts_device", "device", "raised_at"),
    Index("alerts_list", *_ALERT_LIST),
    Index("alerts_unfinished", *_ALERT_LIST, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index("alerts_aside", "aside", "raised_at", "id"),
)

#: What alerts explain: their symptoms, each under one alert. `ended_at` is null as long as it stands there.
alert_children = Table(
    "alert_children",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("alert", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("ended_at", Float),
    Column("body", Text, nullable=False),
    Index("alert_children_alert", "alert", "id"),
    Index("alert_children_ended", "ended_at"),
)

#: `untold` marks what an outside system has not been told yet, `visit_due` what waits for its return visit; both are
#: null otherwise.
work_orders = Table(
    "work_orders",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("number", String(32), nullable=False, unique=True),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("team", String(64), nullable=False),
    Column("device", String(64)),
    Column("alert", String(64)),
    Column("opened_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("kind", String(16)),
    Column("source", String(16)),
    Column("assignee", String(128)),
    Column("closed_at", Float),
    Column("tracking", String(32), unique=True),
    Column("external", String(128)),
    Column("untold", Boolean),
    Column("visit_due", Boolean),
    Index("work_orders_list", *_ORDER_LIST),
    Index("work_orders_unfinished", *_ORDER_LIST, sqlite_where=_UNFINISHED, postgresql_where=_UNFINISHED),
    Index("work_orders_state", "state", "opened_at", "id"),
    Index("work_orders_team", "team", "opened_at", "id"),
    Index("work_orders_device", "device", "opened_at", "id"),
    Index("work_orders_source", "source", "opened_at", "id"),
    Index("work_orders_kind", "kind", "opened_at", "id"),
    Index("work_orders_assignee", "assignee", "opened_at", "id"),
    Index("work_orders_alert", "alert"),
    Index("work_orders_external", "external"),
    Index("work_orders_closed", "closed_at", "id"),
    Index("work_orders_untold", "untold", "opened_at", "id"),
    Index("work_orders_visit", "visit_due", "opened_at", "id"),
)

#: Where each schedule stands; what it is, is in the home's files.
schedules = Table(
    "schedules",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

#: Patrol and inspection rounds.
rounds = Table(
    "rounds",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("schedule", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("rounds_started", "started_at", "id"),
    Index("rounds_state", "state", "started_at"),
)

plan_runs = Table(
    "plan_runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("plan", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("plan_runs_state", "state", "started_at"),
    Index("plan_runs_list", "started_at", "id", "state", "plan", "site"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("idempotency_key", String(128), unique=True),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("commands_state", "state"),
    Index("commands_device", "device", "requested_at"),
    Index("commands_list", "requested_at", "id", "state", "device", "site"),
)

passes = Table(
    "passes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("passes_value", "kind", "value"),
    Index("passes_number", "value", "id"),
    Index("passes_list", "id", "site", "kind"),
)

#: Who can be on duty and be told. Their addresses, personal data, are in the body.
people = Table(
    "people",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

rosters = Table(
    "rosters",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

shifts = Table(
    "shifts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("desk", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("started_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("shifts_state", "state", "started_at"),
    Index("shifts_started", "started_at", "id"),
)

#: Messages to people, on their way and what became of them.
#: How the list that a device holds itself stands.
device_lists = Table(
    "device_lists",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

#: What is out of service, was, or will be.
outages = Table(
    "outages",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("from_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("outages_state", "state", "from_at"),
)

#: What devices hold on their lists, or shall hold.
list_entries = Table(
    "list_entries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("device", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("list_entries_device", "device", "state"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("alert", String(64)),
    Column("key", String(64), nullable=False, unique=True),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("next_at", Float),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("notifications_state", "state", "created_at"),
    Index("notifications_alert", "alert", "created_at"),
    Index("notifications_list", "created_at", "id", "state", "site", "alert"),
)

#: What was decided at doors and barriers that asked, with the reason.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("time", Float, nullable=False),
    Column("site", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", String(128), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("reason", String(32), nullable=False),
    Column("pass_id", String(64)),
    Column("command", String(64)),
    Index("decisions_device", "device", "id"),
    Index("decisions_value", "value", "id"),
    Index("decisions_time", "time", "allowed", "site", "kind", "pass_id", "device", "id"),
)

#: How many messages met each fate; the row `received` counts what came in.
ledger = Table(
    "ledger",
    metadata,
    Column("fate", String(32), primary_key=True),
    Column("count", BigInteger, nullable=False),
)

#: Messages that were not accepted, with their bytes and the reason. `state` is `kept`, `retried` or `discarded`.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("received", Float, nullable=False),
    Column("fate", String(32), nullable=False),
    Column("adapter", String(64), nullable=False),
    Column("topic", Text, nullable=False),
    Column("device", String(128), nullable=False),
    Column("place", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    Index("dead_letters_fate", "fate", "id"),
    Index("dead_letters_device", "adapter", "device"),
)

#: Devices that speak and are not registered.
quarantine = Table(
    "quarantine",
    metadata,
    Column("adapter", String(64), primary_key=True),
    Column("external_id", String(128), primary_key=True),
    Column("site", String(64), nullable=False),
    Column("first_at", Float, nullable=False),
    Column("last_at", Float, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("topic", Text, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("topic", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("qos", Integer, nullable=False),
    Column("retain", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
)

#: Everything that came in, in order: a row a batch, its messages and actions packed in `body`.
journal = Table(
    "journal",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("time", Float, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("journal", Serial, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("time", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

#: The texts of rule packs, the shipped ones and the site's, by their SHA-256: what the journal and the versions mean.
rule_texts = Table(
    "rule_texts",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)

#: Every version of the site's packs; `hash` is empty where the pack was deleted. Its author and the rest are in `body`.
rule_versions = Table(
    "rule_versions",
    metadata,
    Column("pack", String(64), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("created_at", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

#: The packs of the site: the version in force, and what is known of the file. `disk` is the hash of the file as it was
#: last dealt with, `unwritten` whether the version in force has yet to be written into it, `refused` the number of the
#: version that the file holds and that cannot be read, 0 for none.
rule_packs = Table(
    "rule_packs",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("disk", String(64), nullable=False),
    Column("unwritten", Boolean, nullable=False),
    Column("refused", Integer, nullable=False),
)

#: Append-only; `hash` covers the row and the hash before it.
audit = Table(
    "audit",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("time", Float, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(64), nullable=False),
    Column("target", String(256), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("audit_actor", "actor", "id"),
    Index("audit_action", "action", "id"),
    Index("audit_target", "target", "id"),
    Index("audit_time", "time"),
)

#: What changed, in order, for whoever follows: the API's stream reads it past its last position.
changes = Table(
    "changes",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("time", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("ref", String(128), nullable=False),
    Column("site", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password_hash", String(256)),
    Column("role", String(16), nullable=False),
    Column("sites", JSON, nullable=False),
    Column("language", String(16), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("version", Integer, nullable=False),
)

#: Programs' tokens. Only the SHA-256 of a token is kept; tokens are 256 random bits, so that is enough.
tokens = Table(
    "tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("sites", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("scopes", JSON),
)

#: Browser sessions and one-time sign-in links (`kind` `session` or `link`), by the SHA-256 of their secret.
sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("user", String(64), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
