"""What a program's token may besides its role."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Tokens made before have none."""
    op.add_column("tokens", sa.Column("scopes", sa.JSON(), nullable=True))
