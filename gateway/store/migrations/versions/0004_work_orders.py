"""Work orders: residents' requests, outside systems and return visits can be looked for."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_COLUMNS: tuple[sa.Column[Any], ...] = (
    sa.Column("kind", sa.String(length=16)),
    sa.Column("source", sa.String(length=16)),
    sa.Column("assignee", sa.String(length=128)),
    sa.Column("closed_at", sa.Float()),
    sa.Column("tracking", sa.String(length=32)),
    sa.Column("external", sa.String(length=128)),
    sa.Column("untold", sa.Boolean()),
    sa.Column("visit_due", sa.Boolean()),
)
_INDEXES = {
    "work_orders_state": ["state", "opened_at", "id"],
    "work_orders_team": ["team", "opened_at", "id"],
    "work_orders_device": ["device", "opened_at", "id"],
    "work_orders_source": ["source", "opened_at", "id"],
    "work_orders_kind": ["kind", "opened_at", "id"],
    "work_orders_assignee": ["assignee", "opened_at", "id"],
    "work_orders_alert": ["alert"],
    "work_orders_external": ["external"],
    "work_orders_closed": ["closed_at", "id"],
    "work_orders_untold": ["untold", "opened_at", "id"],
    "work_orders_visit": ["visit_due", "opened_at", "id"],
}


def upgrade() -> None:
    op.drop_index("work_orders_state", "work_orders")
    with op.batch_alter_table("work_orders") as table:
        for column in _COLUMNS:
            table.add_column(column)
        table.create_unique_constraint("uq_work_orders_tracking", ["tracking"])
    _fill()
    for name, columns in _INDEXES.items():
        op.create_index(name, "work_orders", columns)


def _fill() -> None:
    """The new columns of the orders that are there, out of their bodies."""
    orders = sa.table(
        "work_orders", *(sa.column(name) for name in ("id", "body", "kind", "source", "assignee", "closed_at"))
    )
    connection = op.get_bind()
    for ident, body in connection.execute(sa.select(orders.c.id, orders.c.body)).all():
        order = json.loads(body)
        values = {
            "kind": "repair",
            "source": order.get("source", "rule"),
            "assignee": order.get("assignee"),
            "closed_at": order.get("closed_at"),
        }
        connection.execute(orders.update().where(orders.c.id == ident).values(**values))
