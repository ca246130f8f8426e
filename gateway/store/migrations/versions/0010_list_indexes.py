"""Lists of a busy year: indexes that hold what lists are chosen by, so that no list reads the records it leaves out."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_OPEN = sa.text("state <> 'closed'")
#: What replaces an index that holds the order alone.
_LISTS = {
    "alerts": ("alerts_raised", ["raised_at", "id", "state", "severity", "site", "rule", "parent", "device"]),
    "work_orders": (
        "work_orders_opened",
        ["opened_at", "id", "state", "site", "team", "kind", "source", "assignee", "device", "alert"],
    ),
    "commands": ("commands_requested", ["requested_at", "id", "state", "device", "site"]),
    "notifications": ("notifications_created", ["created_at", "id", "state", "site", "alert"]),
    "plan_runs": (None, ["started_at", "id", "state", "plan", "site"]),
    "passes": (None, ["id", "site", "kind"]),
}
_OPEN_ONES = {
    "alerts": ["raised_at", "id", "state", "severity", "site", "rule", "parent", "device"],
    "work_orders": ["opened_at", "id", "state", "site", "team", "kind", "source", "assignee", "device", "alert"],
}
_OTHERS = {
    "alerts_shelved": ("alerts", ["shelved", "raised_at", "id"]),
    "passes_number": ("passes", ["value", "id"]),
    "audit_actor": ("audit", ["actor", "id"]),
    "audit_action": ("audit", ["action", "id"]),
    "audit_target": ("audit", ["target", "id"]),
    "audit_time": ("audit", ["time"]),
    "decisions_time": ("decisions", ["time", "allowed", "site", "kind", "pass_id", "device", "id"]),
    "decisions_value": ("decisions", ["value", "id"]),
}


def upgrade() -> None:
    """Marks the alerts that are shelved, and makes the indexes."""
    op.add_column("alerts", sa.Column("shelved", sa.Boolean(), nullable=True))
    alerts = sa.table("alerts", *(sa.column(name) for name in ("state", "body")), sa.column("shelved", sa.Boolean()))
    put_aside = alerts.c.body.contains('"shelving":{', autoescape=True)
    op.execute(alerts.update().where(alerts.c.state != "closed", put_aside).values(shelved=sa.true()))
    for table, (replaced, columns) in _LISTS.items():
        if replaced is not None:
            op.drop_index(replaced, table)
        op.create_index(f"{table}_list", table, columns)
    for table, columns in _OPEN_ONES.items():
        op.create_index(f"{table}_unfinished", table, columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
    # "under no other" is true of most alerts: an index is of use for those that stand under one alone.
    folded = sa.text("parent is not null")
    op.drop_index("alerts_parent", "alerts")
    op.create_index("alerts_parent", "alerts", ["parent"], sqlite_where=folded, postgresql_where=folded)
    for name, (table, columns) in _OTHERS.items():
        op.create_index(name, table, columns)
