"""Users, tokens and sessions: who is asking."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from gateway.store.read_base import Page, Place, QueryBase
from gateway.store.rows import SessionRow, TokenRow, UserRow
from gateway.store.tables import sessions, tokens, users


class PeopleQueries(QueryBase):
    """Who may ask, and as whom."""

    def user(self, name: str) -> UserRow | None:
        """One account with its password's hash, or None."""
        row = self.one(select(users).where(users.c.name == name))
        return _user_row(row) if row else None

    def users(self, *, after: Place | None = None, limit: int = 100) -> Page:
        """The accounts by name."""
        columns = [column for column in users.c if column.name != "name"]
        found, place = self.page(select(*columns, users.c.name), [users.c.name], after, limit, newest_first=False)
        return Page([_user_row(row) for row in found], place)

    def session(self, hash: str) -> SessionRow | None:
        """The session or link with that SHA-256 and whose it is, expired or not."""
        joined = sessions.join(users, users.c.name == sessions.c.user)
        columns = (sessions.c.kind, sessions.c.csrf, sessions.c.expires_at, *users.c)
        row = self.one(select(*columns).select_from(joined).where(sessions.c.hash == hash))
        if row is None:
            return None
        return SessionRow(kind=row.kind, csrf=row.csrf, expires_at=row.expires_at, user=_user_row(row))

    def token(self, hash: str) -> TokenRow | None:
        """The token with that SHA-256, revoked or not."""
        row = self.one(select(tokens).where(tokens.c.hash == hash))
        return _token_row(row) if row else None

    def token_by_id(self, id: str) -> TokenRow | None:
        """The token called `id`, or None."""
        row = self.one(select(tokens).where(tokens.c.id == id))
        return _token_row(row) if row else None

    def tokens(self, *, after: Place | None = None, limit: int = 100) -> Page:
        """The tokens by id."""
        columns = [column for column in tokens.c if column.name != "id"]
        found, place = self.page(select(*columns, tokens.c.id), [tokens.c.id], after, limit, newest_first=False)
        return Page([_token_row(row) for row in found], place)


def _user_row(row: Any) -> UserRow:
    return UserRow(
        name=row.name, role=row.role, sites=tuple(row.sites or ()), language=row.language, disabled=row.disabled,
        created_at=row.created_at, version=row.version, password_hash=row.password_hash,
    )  # fmt: skip


def _token_row(row: Any) -> TokenRow:
    return TokenRow(
        id=row.id, name=row.name, role=row.role, sites=tuple(row.sites or ()), created_at=row.created_at,
        expires_at=row.expires_at, revoked_at=row.revoked_at, scopes=tuple(row.scopes or ()),
    )  # fmt: skip
