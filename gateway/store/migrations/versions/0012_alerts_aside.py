"""Alerts that are aside are listed by why they are: shelved, suppressed, out of service."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Puts the kind in the place of the mark."""
    op.add_column("alerts", sa.Column("aside", sa.String(16), nullable=True))
    shelved = sa.column("shelved", sa.Boolean())
    alerts = sa.table("alerts", sa.column("body", sa.Text()), sa.column("aside", sa.String()), shelved)
    op.execute(alerts.update().where(alerts.c.shelved).values(aside="shelved"))
    for kind in ("out_of_service", "suppressed"):
        is_so = alerts.c.body.contains(f'"kind":"{kind}"', autoescape=True)
        op.execute(alerts.update().where(alerts.c.shelved, is_so).values(aside=kind))
    op.drop_index("alerts_shelved", "alerts")
    op.drop_column("alerts", "shelved")
    op.create_index("alerts_aside", "alerts", ["aside", "raised_at", "id"])
