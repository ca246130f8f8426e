"""Signing in: by password, by link, and what becomes of wrong attempts."""

from __future__ import annotations

import time
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import insert, update

from gateway.api.sign_in import Patience, hash_device_secret, hash_password, sha256
from gateway.errors import Invalid, TooMany
from gateway.store import tables as t
from tests.api.conftest import bearer
from tests.api.core_double import CoreDouble

pytestmark = pytest.mark.anyio
PASSWORD = "correct horse battery"


@pytest.fixture
def with_password(core: CoreDouble) -> None:
    core.run(update(t.users).where(t.users.c.name == "anna").values(password_hash=hash_password("anna", PASSWORD)))


@pytest.mark.usefixtures("with_password")
class TestPassword:
    async def test_signing_in_sets_a_strict_cookie_that_works_with_its_csrf_token(
        self, client: httpx.AsyncClient, core: CoreDouble
    ) -> None:
        answer = await client.post("/session", json={"user": "anna", "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie and "Secure" not in cookie
        assert (await client.get("/session")).json() == answer.json()
        done = await client.post("/alerts/al-east/acknowledge", headers={"X-CSRF-Token": answer.json()["csrf"]})
        assert done.json()["acknowledged_by"] == "user:anna"
        out = await client.delete("/session", headers={"X-CSRF-Token": answer.json()["csrf"]})
        assert out.status_code == 204 and (await client.get("/session")).status_code == 401

    async def test_the_cookie_is_secure_where_the_api_speaks_tls(self, make_app: Any, core: CoreDouble) -> None:
        app = make_app(tls_cert="x.pem", tls_key="x.key")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://gate.test/api/v1") as client:
            answer = await client.post("/session", json={"user": "anna", "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"]

    async def test_fault_095_a_session_is_never_the_one_the_browser_brought(
        self, client: httpx.AsyncClient, core: CoreDouble
    ) -> None:
        headers = {"Cookie": "gatehouse_session=cookie-planted"}
        body = {"user": "anna", "password": PASSWORD}
        first = await client.post("/session", json=body, headers=headers)
        second = await client.post("/session", json=body, headers=headers)
        cookies = {answer.headers["set-cookie"].split(";")[0] for answer in (first, second)}
        assert len(cookies) == 2 and not any("planted" in cookie for cookie in cookies)

    async def test_fault_095_five_wrong_attempts_slow_down_that_user_at_that_address_only(
        self, app: Any, core: CoreDouble
    ) -> None:
        def at(address: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app, client=(address, 1))
            return httpx.AsyncClient(transport=transport, base_url="http://gate.test/api/v1")

        async with at("10.0.0.66") as attacker, at("10.0.0.5") as anna:
            statuses = [
                (await attacker.post("/session", json={"user": "anna", "password": f"guess {n}"})).status_code
                for n in range(7)
            ]
            assert statuses == [401] * 5 + [429] * 2
            refused = await attacker.post("/session", json={"user": "anna", "password": PASSWORD})
            assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
            assert (await anna.post("/session", json={"user": "anna", "password": PASSWORD})).status_code == 201
        notes = [action.args for action in core.of("audit.note")]
        assert [note["action"] for note in notes] == ["session.refused"] * 4 + ["session.alarm"]
        assert notes[-1] == {
            "action": "session.alarm", "target": "user:anna", "detail": {"address": "10.0.0.66", "in_a_row": 5}
        }  # fmt: skip

    async def test_fault_107_a_password_in_the_name_box_is_not_written_down(
        self, client: httpx.AsyncClient, core: CoreDouble
    ) -> None:
        answer = await client.post("/session", json={"user": "canary-hunter2", "password": "x"})
        assert answer.status_code == 401
        assert "canary" not in str(core.actions) and "canary" not in answer.text

    async def test_unknown_and_known_users_cost_the_same_hash(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checked: list[str] = []
        monkeypatch.setattr("gateway.api.sign_in._argon2_fits", lambda stored, _given: _noted(checked, stored))
        for user in ("anna", "nobody"):
            await client.post("/session", json={"user": user, "password": "wrong one"})
        known, unknown = (stored.rsplit("$", 2)[0] for stored in checked)
        assert known == unknown and "m=19456" in known

    async def test_a_changed_password_needs_the_old_one(self, client: httpx.AsyncClient, core: CoreDouble) -> None:
        csrf = (await client.post("/session", json={"user": "anna", "password": PASSWORD})).json()["csrf"]
        headers = {"X-CSRF-Token": csrf}
        wrong = await client.put("/session/password", headers=headers, json={"current": "no", "new": "another horse"})
        assert wrong.status_code == 403
        right = {"current": PASSWORD, "new": "another horse"}
        assert (await client.put("/session/password", headers=headers, json=right)).status_code == 204
        assert (await client.post("/session", json={"user": "anna", "password": "another horse"})).status_code == 201


def test_fault_095_delays_grow_and_are_forgotten() -> None:
    now = 0.0
    patience = Patience(lambda: now)
    waits = []
    for _ in range(15):
        patience.wrong("anna", "here")
        try:
            patience.require("anna", "here")
            waits.append(0.0)
        except TooMany as error:
            waits.append(error.after)
    assert waits[:4] == [0.0] * 4 and waits[4:11] == [1, 2, 4, 8, 16, 32, 60] and max(waits) == 60
    now = 61.0
    patience.require("anna", "here")
    now = 2000.0
    assert patience.wrong("anna", "here") == 1


def test_fault_095_guessing_many_names_from_one_address_is_slowed_too() -> None:
    patience = Patience(lambda: 0.0)
    for number in range(30):
        patience.require(f"user-{number}", "there")
        patience.wrong(f"user-{number}", "there")
    with pytest.raises(TooMany):
        patience.require("user-31", "there")
    patience.require("user-31", "elsewhere")


@pytest.mark.parametrize("password", ["", "short", "changeme", "Password", "gatehouse", "anna-anna", "aaaaaaaaaaaa"])
def test_fault_096_blank_default_and_example_passwords_are_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        hash_password("anna-anna", password)
    assert refused.value.field == "password"


async def test_fault_096_an_account_with_a_known_password_is_not_made(
    client: httpx.AsyncClient, core: CoreDouble
) -> None:
    body = {"name": "eve", "role": "viewer", "password": "changeme"}
    answer = await client.post("/users", headers=bearer("admin"), json=body)
    assert answer.status_code == 422 and answer.json()["field"] == "password" and core.actions == []


async def test_a_link_works_once(app: Any, client: httpx.AsyncClient, core: CoreDouble) -> None:
    row = {"hash": sha256("link-secret"), "kind": "link", "user": "anna", "csrf": "", "created_at": 1.0}
    core.run(insert(t.sessions).values(row | {"expires_at": time.time() + 60}))
    for url in ("http://gate.test/sign-in", "/sign-in"):
        first = url.startswith("http:")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gate.test/api/v1") as browser:
            answer = await browser.get(url, params={"token": "link-secret"})
            assert answer.status_code == 303
            assert answer.headers["location"] == ("/" if first else "/?link=expired")
            assert (await browser.get("/session")).status_code == (200 if first else 401)
    assert (await client.get("/session", headers={"Cookie": "gatehouse_session=link-secret"})).status_code == 401


async def test_a_link_is_no_session(client: httpx.AsyncClient, core: CoreDouble) -> None:
    row = {"hash": sha256("link-secret"), "kind": "link", "user": "anna", "csrf": "", "created_at": 1.0}
    core.run(insert(t.sessions).values(row | {"expires_at": time.time() + 60}))
    assert (await client.get("/session", headers={"Cookie": "gatehouse_session=link-secret"})).status_code == 401


async def test_fault_107_secrets_reach_the_core_as_hashes_only(client: httpx.AsyncClient, core: CoreDouble) -> None:
    admin = bearer("admin")
    made = [
        (await client.post("/tokens", headers=admin, json={"name": "t", "role": "viewer"})).json()["token"],
        (await client.post("/devices", headers=admin, json={"id": "n1", "site": "east", "adapter": "x"})).json()[
            "credential"
        ]["password"],
        (await client.post("/devices/n1/rotate", headers=admin)).json()["credential"]["password"],
    ]
    await client.post("/users", headers=admin, json={"name": "eve", "role": "viewer", "password": PASSWORD})
    journal = msgspec.json.encode(core.actions).decode()
    for secret in (*made, PASSWORD):
        assert len(secret) > 8 and secret not in journal


async def test_a_new_token_works_until_it_is_revoked(client: httpx.AsyncClient) -> None:
    body = {"name": "portal", "role": "viewer", "sites": ["west"], "expires_at": "2999-01-01T00:00:00Z"}
    made = (await client.post("/tokens", headers=bearer("admin"), json=body)).json()
    own = {"Authorization": f"Bearer {made['token']}"}
    assert [site["id"] for site in (await client.get("/sites", headers=own)).json()["items"]] == ["west"]
    assert (await client.get("/session", headers=own)).json()["user"] == "token:portal"
    assert (await client.delete(f"/tokens/{made['id']}", headers=bearer("admin"))).status_code == 204
    assert (await client.get("/sites", headers=own)).status_code == 401
    past = {"name": "late", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z"}
    assert (await client.post("/tokens", headers=bearer("admin"), json=past)).json()["field"] == "expires_at"


async def test_nobody_takes_the_administration_from_themselves(client: httpx.AsyncClient, core: CoreDouble) -> None:
    core.add_user("root", "admin", [])
    core.run(insert(t.sessions).values(
        hash=sha256("cookie-root"), kind="session", user="root", csrf="csrf-root", created_at=1.0,
        expires_at=time.time() + 60,
    ))  # fmt: skip
    own = {"Cookie": "gatehouse_session=cookie-root", "X-CSRF-Token": "csrf-root"}
    for change in ({"disabled": True}, {"role": "viewer"}, {"sites": ["west"]}):
        assert (await client.patch("/users/root", headers=own, json=change)).status_code == 409
    assert (await client.patch("/users/root", headers=own, json={"language": "zh"})).status_code == 200


class TestIngest:
    @pytest.fixture(autouse=True)
    def registered(self, core: CoreDouble) -> None:
        hashed = hash_device_secret("pushy")
        for device in ("east-cam", "west-cam"):
            core.run(update(t.devices).where(t.devices.c.id == device).values(secret_hash=hashed))

    async def test_a_device_pushes_with_its_own_credential_only(
        self, client: httpx.AsyncClient, core: CoreDouble
    ) -> None:
        good: dict[str, Any] = {
            "auth": ("east-cam", "pushy"),
            "content": b'{"a":1}',
            "headers": {"Content-Type": "application/json"},
        }
        answer = await client.post("/ingest/vzenith/east-cam", **good)
        assert answer.status_code == 200 and answer.json() == {"fate": "accepted", "reason": ""}
        action = core.of("message.ingest")[0]
        assert action.args["payload"] == "eyJhIjoxfQ==" and action.args["device"] == "east-cam"
        assert action.actor.name == "device:east-cam"
        for path, auth in (
            ("/ingest/vzenith/east-cam", ("east-cam", "wrong")),
            ("/ingest/vzenith/west-cam", ("east-cam", "pushy")),
            ("/ingest/vzenith/none", ("none", "pushy")),
            ("/ingest/vzenith/east-cam", ("east-cam", "x" * 100)),
        ):
            refused = await client.post(path, auth=auth, content=b"x")
            assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Basic", (path, auth)
        assert len(core.of("message.ingest")) == 1

    async def test_the_slow_hash_is_computed_once_a_secret(
        self, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        computed: list[str] = []
        monkeypatch.setattr(
            "gateway.api.sign_in._bcrypt_fits", lambda _stored, given: _noted(computed, given) or given == "pushy"
        )
        for secret in ("pushy", "pushy", "wrong", "pushy", "wrong"):
            await client.post("/ingest/vzenith/east-cam", auth=("east-cam", secret), content=b"x")
        assert computed == ["pushy", "wrong", "wrong"]

    async def test_a_disabled_device_and_a_rotated_credential_are_refused_at_once(
        self, client: httpx.AsyncClient, core: CoreDouble
    ) -> None:
        async def push(secret: str) -> int:
            url = "/ingest/vzenith/east-cam"
            return (await client.post(url, auth=("east-cam", secret), content=b"x")).status_code

        assert await push("pushy") == 200
        fresh = (await client.post("/devices/east-cam/rotate", headers=bearer("admin"))).json()["credential"]
        assert [await push("pushy"), await push(fresh["password"])] == [401, 200]
        await client.post("/devices/east-cam/disable", headers=bearer("admin"))
        assert await push(fresh["password"]) == 401

    async def test_guessing_a_devices_secret_is_slowed(self, client: httpx.AsyncClient) -> None:
        url = "/ingest/vzenith/east-cam"
        guesses = [(await client.post(url, auth=("east-cam", f"g{n}"), content=b"x")).status_code for n in range(6)]
        assert guesses == [401] * 5 + [429]

    async def test_the_adapters_own_answer_is_passed_on(self, client: httpx.AsyncClient, core: CoreDouble) -> None:
        core.ingest_answer = {"fate": "accepted", "reason": "", "content_type": "application/xml", "body": "PG9rLz4="}
        answer = await client.post("/ingest/vzenith/east-cam", auth=("east-cam", "pushy"), content=b"x")
        assert answer.text == "<ok/>" and answer.headers["content-type"] == "application/xml"

    async def test_a_message_that_cannot_be_read_says_why(self, client: httpx.AsyncClient, core: CoreDouble) -> None:
        core.ingest_answer = {"fate": "undecodable", "reason": "plate: not base64", "content_type": "", "body": ""}
        answer = await client.post("/ingest/vzenith/east-cam", auth=("east-cam", "pushy"), content=b"x")
        assert answer.status_code == 422 and answer.json()["code"] == "undecodable"
        assert answer.json()["detail"] == "plate: not base64"


def _noted(calls: list[str], value: str) -> bool:
    """Notes a call of what is put in a function's place; False."""
    calls.append(value)
    return False
