"""Alerts that explain others: what stands under them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """No alert made before stands under another."""
    op.add_column("alerts", sa.Column("parent", sa.String(length=64), nullable=True))
    op.create_index("alerts_parent", "alerts", ["parent"])
    op.create_table(
        "alert_children",
        sa.Column("id", sa.String(length=64), primary_key=True),
        sa.Column("alert", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=64), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
    )
    op.create_index("alert_children_alert", "alert_children", ["alert", "id"])
    op.create_index("alert_children_ended", "alert_children", ["ended_at"])
