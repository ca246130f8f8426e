"""Who proves to be whom: passwords, devices' secrets, and the patience with wrong ones."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

import argon2
import bcrypt
from starlette.concurrency import run_in_threadpool

from gateway.errors import Invalid, TooMany
from gateway.store.rows import DeviceSecret, UserRow

#: OWASP's figures for Argon2id: 19 MiB, two passes, one lane.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_WRONG_BEFORE_DELAY = 5
_WRONG_BY_ADDRESS = 30
_LONGEST_DELAY = 60.0
#: After this long without a wrong attempt the count starts again.
_FORGIVEN_AFTER = 900.0
_REMEMBERED = 10_000
_LEAST_PASSWORD = 8
_KNOWN_PASSWORDS = frozenset((
    "password", "password1", "12345678", "123456789", "1234567890", "changeme", "changeit", "gatehouse", "adminadmin",
    "admin123", "administrator", "qwertyuiop", "letmein1", "example1", "secret123", "iloveyou", "00000000", "11111111",
    "88888888", "66666666",
))  # fmt: skip


def hash_password(name: str, password: str) -> str:
    """The Argon2 hash of a new password. Raises `Invalid` for one that is blank, short, or known to everybody."""
    if len(password) < _LEAST_PASSWORD:
        raise Invalid("password", f"too short: at least {_LEAST_PASSWORD} characters")
    if password.lower() in _KNOWN_PASSWORDS or password.lower() == name.lower() or len(set(password)) < 3:
        raise Invalid("password", "one of the first that anybody would try: choose another")
    return _HASHER.hash(password)


def new_secret() -> str:
    """256 random bits as text, for sessions, tokens, links and devices."""
    return secrets.token_urlsafe(32)


def sha256(secret: str) -> str:
    """The form in which sessions and tokens are kept."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hash_device_secret(secret: str) -> str:
    """The bcrypt hash of a device's secret, as brokers read it."""
    return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(10)).decode()


class _Wrong(NamedTuple):
    attempts: int
    last: float


class Patience:
    """How long somebody who was wrong must wait: by who and from where, so that nobody is locked out by another."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: collections.OrderedDict[tuple[str, str], _Wrong] = collections.OrderedDict()

    def require(self, who: str, address: str) -> None:
        """Raises `TooMany` while the delay after the last wrong attempt runs."""
        for key, free in (((who, address), _WRONG_BEFORE_DELAY), (("", address), _WRONG_BY_ADDRESS)):
            wrong = self._wrong.get(key)
            if wrong is None or wrong.attempts < free:
                continue
            wait = min(2.0 ** min(wrong.attempts - free, 10), _LONGEST_DELAY) - (self._clock() - wrong.last)
            if wait > 0:
                raise TooMany("wrong attempts", max(1.0, wait))

    def wrong(self, who: str, address: str) -> int:
        """Notes a wrong attempt. How many there were in a row for this one from there."""
        now = self._clock()
        for key in (("", address), (who, address)):
            before = self._wrong.pop(key, _Wrong(0, now))
            count = 1 if now - before.last > _FORGIVEN_AFTER else before.attempts + 1
            self._wrong[key] = _Wrong(count, now)
        while len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)
        return self._wrong[who, address].attempts

    def right(self, who: str, address: str) -> None:
        """Forgets the wrong attempts of this one from there."""
        self._wrong.pop((who, address), None)


class Gatekeeper:
    """Checks of passwords and devices' secrets, slow by nature and so off the loop and few at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.people = Patience(clock)
        self.devices = Patience(clock)
        self._nobody = _HASHER.hash(new_secret())
        self._few = asyncio.Semaphore(2)
        self._salt = secrets.token_bytes(16)
        #: device -> (its stored hash, a fast hash of the secret that matched it)
        self._known: dict[str, tuple[str, bytes]] = {}

    async def password_fits(self, user: UserRow | None, password: str) -> bool:
        """Whether the password is the user's. Takes as long for a user who does not exist."""
        stored = user.password_hash if user is not None and user.password_hash and not user.disabled else None
        async with self._few:
            fits = await run_in_threadpool(_argon2_fits, stored or self._nobody, password)
        return fits and stored is not None

    async def secret_fits(self, device: DeviceSecret | None, secret: str) -> bool:
        """Whether the secret is the device's. The slow hash is computed once a secret, then remembered."""
        if device is None or not device.enabled or not device.secret_hash:
            return False
        fast = hmac.digest(self._salt, secret.encode(), "sha256")
        known = self._known.get(device.id)
        if known is not None and known[0] == device.secret_hash and hmac.compare_digest(known[1], fast):
            return True
        async with self._few:
            fits = await run_in_threadpool(_bcrypt_fits, device.secret_hash, secret)
        if fits:
            self._known[device.id] = (device.secret_hash, fast)
        return fits


def _argon2_fits(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _bcrypt_fits(stored: str, secret: str) -> bool:
    try:
        return bcrypt.checkpw(secret.encode(), stored.encode())
    except ValueError:
        return False
