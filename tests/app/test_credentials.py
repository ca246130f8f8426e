"""The broker's list of credentials."""

from __future__ import annotations

from pathlib import Path

from gateway.app.credentials import read_users, users_file, write_users
from gateway.broker import BrokerUser
from gateway.config import Home


def test_a_list_that_has_not_changed_is_not_written_again_whatever_its_order(tmp_path: Path) -> None:
    """The broker takes over every new file, which with thousands of devices costs it a second and its memory."""
    home = Home(tmp_path)
    home.prepare()
    users = [BrokerUser(name=name, password_bcrypt=f"$2b$04${name}", publish=(f"x/{name}",)) for name in ("b", "a")]
    stamp = write_users(home, users)
    before = users_file(home).stat().st_ino
    assert write_users(home, reversed(users)) == stamp
    assert users_file(home).stat().st_ino == before
    assert write_users(home, users[:1]) == users_file(home).stat().st_mtime_ns
    assert [user.name for user in read_users(home)[0]] == ["b"]
    assert users_file(home).stat().st_ino != before
