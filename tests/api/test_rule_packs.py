"""/rules/packs: what is answered, with which status, and what the core is asked for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import bearer
from tests.api.core_double import CoreDouble

pytestmark = pytest.mark.anyio
ENGINEER, VIEWER, OPERATOR = bearer("engineer"), bearer("viewer"), bearer("operator")


async def put(client: httpx.AsyncClient, text: str, name: str = "site", **headers: str) -> httpx.Response:
    body = {"text": text, "reason": "a try"}
    return await client.put(f"/rules/packs/{name}", json=body, headers={**ENGINEER, **headers})


async def test_a_pack_is_put_read_and_changed_with_its_entity_tag(client: httpx.AsyncClient, core: CoreDouble) -> None:
    made = await put(client, "[]")
    assert (made.status_code, made.headers["ETag"], made.json()["text"]) == (201, 'W/"1"', "[]")
    again = await put(client, "[] # two", **{"If-Match": 'W/"1"'})
    assert (again.status_code, again.json()["version"], again.json()["author"]) == (200, 2, "user:anna")
    stale = await put(client, "[] # three", **{"If-Match": 'W/"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    sent = core.of("rules.put")[-1]
    assert sent.args == {"pack": "site", "text": "[] # two", "reason": "a try", "version": 1}
    shown = (await client.get("/rules/packs/site", headers=VIEWER)).json()
    assert (shown["text"], shown["shipped"], shown["written"]) == ("[] # two", False, True)


async def test_a_refused_pack_is_a_problem_with_every_error(client: httpx.AsyncClient) -> None:
    refused = await put(client, "broken")
    told = refused.json()
    assert (refused.status_code, told["code"], refused.headers["content-type"]) == (
        422, "pack_refused", "application/problem+json",
    )  # fmt: skip
    assert told["errors"] == [
        {"file": "rules/own.yaml", "line": 3, "column": 7, "message": "no", "text": "x", "suggestion": "y"}
    ]
    assert (await client.get("/rules/packs/site", headers=VIEWER)).status_code == 404


async def test_a_change_that_waits_is_answered_so_and_confirmed(client: httpx.AsyncClient, core: CoreDouble) -> None:
    waiting = await put(client, "hides", "anna")
    assert waiting.status_code == 202
    assert (waiting.json()["text"], waiting.json()["waiting"]["state"]) == ("[]", "waiting")
    listed = {item["name"]: item for item in (await client.get("/rules/packs", headers=VIEWER)).json()["items"]}
    assert listed["anna"]["waiting"]["number"] == 2
    assert listed["shipped.access"]["shipped"]
    done = await client.post("/rules/packs/anna/pending/confirm", json={"number": 2}, headers=ENGINEER)
    assert done.status_code == 200
    assert core.of("rules.confirm")[-1].args == {"pack": "anna", "number": 2}
    assert (await client.delete("/rules/packs/anna/pending", headers=ENGINEER)).json()["waiting"] is None


async def test_versions_are_listed_read_and_restored(client: httpx.AsyncClient, core: CoreDouble) -> None:
    await put(client, "[] # two", "anna")
    page = (await client.get("/rules/packs/anna/versions?limit=1", headers=VIEWER)).json()
    assert [item["number"] for item in page["items"]] == [2]
    rest = (await client.get(f"/rules/packs/anna/versions?cursor={page['next']}", headers=VIEWER)).json()
    assert [item["number"] for item in rest["items"]] == [1]
    assert rest["items"][0]["created_at"].endswith("Z")
    old = (await client.get("/rules/packs/anna/versions/1", headers=VIEWER)).json()
    assert (old["text"], old["hidden"]) == ("[]", [])
    restored = await client.post(
        "/rules/packs/anna/restore", json={"number": 1, "reason": "back"}, headers={**ENGINEER, "If-Match": 'W/"2"'}
    )
    assert (restored.status_code, restored.json()["version"]) == (200, 3)
    assert core.of("rules.restore")[-1].args == {"pack": "anna", "number": 1, "reason": "back", "version": 2}


async def test_a_deleted_pack_stays_as_its_versions(client: httpx.AsyncClient) -> None:
    without = await client.delete("/rules/packs/anna", headers=ENGINEER)
    assert without.status_code == 422
    gone = await client.delete("/rules/packs/anna?reason=over", headers=ENGINEER)
    assert (gone.status_code, gone.json()["deleted"], gone.json()["text"]) == (200, True, None)
    assert (await client.get("/rules/packs/anna/versions/2", headers=VIEWER)).json()["text"] is None


async def test_a_pack_of_the_product_can_be_read_and_not_changed(client: httpx.AsyncClient) -> None:
    assert (await client.get("/rules/packs/shipped.access", headers=VIEWER)).json()["text"] == "[]"
    assert (await client.get("/rules/packs/shipped.none", headers=VIEWER)).status_code == 404


@pytest.mark.parametrize("body", [{"text": "[]"}, {"reason": "x"}, {"text": "[]", "reason": ""}, {"text": "\x00"}])
async def test_wrong_bodies_are_refused(client: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await client.put("/rules/packs/site", json=body, headers=ENGINEER)).status_code == 422


async def test_an_operator_reads_and_does_not_change(client: httpx.AsyncClient, core: CoreDouble) -> None:
    assert (await client.get("/rules/packs/anna", headers=OPERATOR)).status_code == 200
    answer = await client.put("/rules/packs/anna", json={"text": "[]", "reason": "x"}, headers=OPERATOR)
    assert answer.status_code == 403
    assert core.of("rules.put") == []
