"""Bringing a database to the schema of this version, and refusing one of a later version.

The usual start finds the right revision with one query and never loads Alembic, which costs a third of a second.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from gateway.errors import GatehouseError, StorageFailed

#: The newest revision under `migrations/versions`; a test holds it against the folder.
HEAD = "0012"


class SchemaTooNew(GatehouseError):
    """The database was written by a later version of Gatehouse."""

    code = "schema_too_new"
    exit_code = 2


def current(engine: Engine) -> str | None:
    """The database's revision, None for an empty one. Raises `StorageFailed` where it cannot be read."""
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            revision: str | None = connection.scalar(text("select version_num from alembic_version"))
            return revision
    except Exception as error:
        url = engine.url.render_as_string(hide_password=True)
        reason = str(getattr(error, "orig", error)).split("\n")[0]
        raise StorageFailed(f"cannot open the database {url}: {reason}", url=url, reason=reason) from error


def upgrade(engine: Engine) -> None:
    """Migrates to `HEAD`. Raises `SchemaTooNew` and touches nothing where the database is ahead of this program."""
    revision = current(engine)
    if revision == HEAD:
        return
    if revision is not None and revision > HEAD:
        raise SchemaTooNew(
            f"the database has schema {revision}, this version of Gatehouse knows up to {HEAD}: "
            "start the newer version that wrote it, or restore a backup; nothing was changed"
        )
    # Only a migration needs Alembic, and it takes a third of a second to load.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
