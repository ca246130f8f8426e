"""The actions on accounts: users, tokens and sessions. Secrets come as hashes; the journal never sees one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import delete, update

from gateway.core.handlers import Handlers
from gateway.core.rows import Statements
from gateway.errors import Conflict, Invalid, NotFound, Unauthorized
from gateway.model import SCOPES, Action, Role
from gateway.store import tables

NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}")
_LAST_MOMENT = 253_402_300_800.0
SITE = re.compile(r"[A-Za-z0-9_-]{1,64}")
LANGUAGES = ("en", "zh-CN")


class Accounts(Handlers):
    """Carries out `ROLES`' actions; its statements go into the batch's transaction."""

    ROLES = {
        "user.add": Role.ADMIN,
        "user.update": Role.ADMIN,
        "token.create": Role.ADMIN,
        "token.revoke": Role.ADMIN,
        "session.open": Role.VIEWER,
        "session.close": Role.VIEWER,
        "session.swap": Role.VIEWER,
    }

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._users: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, str] = {}
        self._links: dict[str, tuple[str, float]] = {}

    def load(
        self,
        users: Iterable[Mapping[str, Any]],
        tokens: Mapping[str, str],
        links: Mapping[str, tuple[str, float]],
    ) -> None:
        """Takes over the database's users, standing tokens (id to name) and unused links (hash to user and expiry)."""
        self._users = {user["name"]: dict(user) for user in users}
        self._tokens = dict(tokens)
        self._links = dict(links)

    def _user_add(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        name = args.get("name")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise Invalid("name", f"{str(name)[:80]!r}: use 1 to 64 letters, digits, '-', '_', '.' and '@'")
        if name in self._users:
            raise Conflict(f"user '{name}' exists already")
        user = {
            "name": name,
            "password_hash": args.get("password_hash"),
            "role": _role(args.get("role")),
            "sites": _sites(args.get("sites")),
            "language": _language(args.get("language") or LANGUAGES[0]),
            "disabled": False,
            "created_at": wall,
            "version": 1,
        }
        self._users[name] = user
        self._statements.put(tables.users, user)
        return _shown(user)

    def _user_update(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        known = self._users.get(str(args.get("name")))
        if known is None:
            raise NotFound("user", args.get("name"))
        user = {**known, "version": known["version"] + 1}
        checks: dict[str, Callable[[Any], Any]] = {
            "role": _role,
            "sites": _sites,
            "language": _language,
            "disabled": bool,
            "password_hash": str,
        }
        for field, check in checks.items():
            if args.get(field) is not None:
                user[field] = check(args[field])
        if not self._an_admin_is_left({**self._users, user["name"]: user}):
            raise Conflict(f"'{user['name']}' is the last administrator: make another one first")
        self._users[user["name"]] = user
        self._statements.put(tables.users, user)
        if user["disabled"] or args.get("password_hash"):
            self._statements.add(delete(tables.sessions).where(tables.sessions.c.user == user["name"]))
            self._links = {hash_: link for hash_, link in self._links.items() if link[0] != user["name"]}
        return _shown(user)

    @staticmethod
    def _an_admin_is_left(users: Mapping[str, Mapping[str, Any]]) -> bool:
        return any(user["role"] == Role.ADMIN and not user["disabled"] for user in users.values())

    def _token_create(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        name = str(args.get("name") or "")
        if not 1 <= len(name) <= 128 or not name.isprintable():
            raise Invalid("name", "say what the token is for, in 1 to 128 printable characters")
        if name in self._tokens.values():
            raise Conflict(f"a token named '{name}' exists already: revoke it first, or choose another name")
        row: dict[str, Any] = {
            "id": str(args["id"]),
            "name": name,
            "hash": str(args["hash"]),
            "role": _role(args.get("role")),
            "sites": _sites(args.get("sites")),
            "created_at": wall,
            "expires_at": _moment(args.get("expires_at")),
            "revoked_at": None,
            "scopes": _scopes(args.get("scopes")),
        }
        self._tokens[row["id"]] = name
        self._statements.put(tables.tokens, row)
        return {key: value for key, value in row.items() if key != "hash"}

    def _token_revoke(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        """By id or by name."""
        wanted = str(args.get("id"))
        token = next((known for known, name in self._tokens.items() if wanted in (known, name)), None)
        if token is None:
            raise NotFound("token", wanted)
        name = self._tokens.pop(token)
        self._statements.add(update(tables.tokens).where(tables.tokens.c.id == token).values(revoked_at=wall))
        return {"id": token, "name": name}

    def _session_open(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        self._enabled(str(args.get("user")))
        kind = str(args.get("kind") or "session")
        row: dict[str, Any] = {
            "hash": str(args["hash"]),
            "kind": kind,
            "user": str(args["user"]),
            "csrf": str(args.get("csrf") or ""),
            "created_at": wall,
            "expires_at": float(args["expires_at"]),
        }
        if kind == "link":
            self._links[row["hash"]] = (row["user"], row["expires_at"])
        self._statements.put(tables.sessions, row)
        self._statements.add(delete(tables.sessions).where(tables.sessions.c.expires_at < wall))
        return {"user": row["user"], "expires_at": row["expires_at"]}

    def _session_close(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        self._statements.add(delete(tables.sessions).where(tables.sessions.c.hash == str(args.get("hash"))))
        return {"user": action.actor.name}

    def _session_swap(self, args: dict[str, Any], action: Action, wall: float) -> dict[str, Any]:
        """A one-time link becomes a session; the link is gone whatever comes after."""
        link = str(args.get("link_hash"))
        user, expires_at = self._links.pop(link, ("", 0.0))
        if expires_at <= wall:
            raise Unauthorized("this sign-in link was used already or has expired: ask for a new one")
        self._statements.add(delete(tables.sessions).where(tables.sessions.c.hash == link))
        return self._session_open({**args, "kind": "session", "user": user}, action, wall)

    def _enabled(self, user: str) -> None:
        known = self._users.get(user)
        if known is None or known["disabled"]:
            raise Unauthorized(f"user '{user}' may not sign in")


def _shown(user: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in user.items() if key != "password_hash"}


def _moment(value: object) -> float | None:
    """Unix seconds before the year 10000, or None: a token that never ends says so by leaving it out."""
    if value is None:
        return None
    if not isinstance(value, int | float) or not 0 < value < _LAST_MOMENT:
        raise Invalid("expires_at", "a time before the year 10000; leave it out for a token that does not expire")
    return float(value)


def _role(value: object) -> str:
    try:
        return Role(str(value)).value
    except ValueError:
        raise Invalid("role", f"'{value}' is no role; one of {', '.join(Role)}") from None


def _sites(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(site, str) and SITE.fullmatch(site) for site in value):
        raise Invalid("sites", "a list of site ids (letters, digits, '-' and '_'); empty for all sites")
    return value


def _scopes(value: object) -> list[str]:
    scopes = value if value is not None else []
    if not isinstance(scopes, list) or not all(scope in SCOPES for scope in scopes):
        raise Invalid("scopes", f"a list of scopes; there is {', '.join(SCOPES)}")
    return scopes


def _language(value: object) -> str:
    if value not in LANGUAGES:
        raise Invalid("language", f"'{value}' is not spoken here; one of {', '.join(LANGUAGES)}")
    return str(value)
