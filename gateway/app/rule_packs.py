"""The rules that are in force, for whoever is not the core: what the database says, not what lies in the files."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from gateway.app.database import database_url
from gateway.app.definitions import load_rules, shipped_rules
from gateway.config import Home, Settings
from gateway.core.editing.packs import Shelf
from gateway.core.journal import PackRef
from gateway.model import Catalogue
from gateway.store.queries import Reader
from rules import RuleSet


def rules_in_force(home: Home, settings: Settings, catalogue: Catalogue) -> RuleSet:
    """The rules by which the core judges; those of the files where there is no database yet. Raises `PackError`."""
    reader = Reader(database_url(home, settings))
    try:
        shelf = Shelf(catalogue, shipped_rules(), reader.rule_text)
        refs = (*shelf.shipped, *(PackRef(name, hash) for name, hash in reader.packs_in_force()))
        return shelf.load_what_can_be(refs)[0]
    except SQLAlchemyError:
        return load_rules(home, catalogue)
    finally:
        reader.close()
