"""Logging for the processes: one line an event, to standard error, with the process's name."""

from __future__ import annotations

import logging
import sys


def set_up(name: str, *, verbose: bool = False) -> None:
    """Configures the root logger. Device data and secrets are never logged; messages name topics and ids."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(f"%(asctime)s {name} %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for chatty in ("httpx", "apscheduler", "alembic", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
