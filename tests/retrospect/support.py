"""A real core on a virtual clock in a real home, so that the command line and the API can look back on its journal."""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from datetime import UTC, datetime
from typing import Any

import httpx
from click.testing import CliRunner, Result

from gateway.api.room import Room
from gateway.cli.main import assemble
from gateway.config import Home
from gateway.core.core import CoreSettings
from rules import RuleSet, load_packs
from tests.support.lab import Lab

PACK = """
- id: door.held
  title: {en: "{device.name} stands open", zh: "{device.name} 常开"}
  severity: high
  on: access.door
  when: state == 'open'
  for: 30s
  then:
    work_order: {team: doors, respond_within: 10m}
- id: door.denials
  title: {en: "{device.name}: {count} denials", zh: "{device.name}:拒绝 {count} 次"}
  severity: medium
  on: access.denied
  count: {at_least: 3, within: 2m}
- id: door.silent
  title: {en: "{device.name}: nothing heard", zh: "{device.name}:无消息"}
  severity: low
  silent: 10m
  devices: {type: door}
- id: door.forced
  title: {en: "{device.name} forced", zh: "{device.name} 被强开"}
  severity: critical
  latched: true
  on: access.door
  when: forced and changed(forced)
"""


class HomeLab(Lab):
    """A lab whose database and packs lie in `home`."""

    def __init__(self, home: Home, pack: str | None = PACK, settings: CoreSettings | None = None) -> None:
        self.home = home
        self.tokens: dict[str, str] = {}
        if pack is not None:
            (home.rules / "site.yaml").write_text(pack, "utf-8")
        super().__init__(home.path, pack=pack, url=f"sqlite:///{home.data / 'gatehouse.db'}", settings=settings)

    @classmethod
    def shipped(cls, home: Home) -> HomeLab:
        """With the packs that come with the product, and no others."""
        return cls(home, None)

    @property
    def rules(self) -> RuleSet:
        assert self._pack is not None
        return load_packs({"lab.yaml": self._pack}, self._catalogue)

    def a_shift(self) -> None:
        """Ten minutes with doors held, cards refused, silence, a device added, and a crash in the middle of a hold."""
        for name in ("door-1", "door-2"):
            self.device(name, type="door", report_interval=60)
        self.say("door-1", "access.door", state="closed", forced=False)
        self.say("door-1", "access.door", state="open", forced=False)
        for _ in range(3):
            self.wait(12)
            self.say("door-1", "access.door", state="open", forced=False)
        self.say("door-1", "access.door", state="closed", forced=False)
        for _ in range(4):
            self.say("door-2", "access.denied", reason="unknown", card="c1")
            self.wait(7)
        self.say("door-2", "access.door", state="open", forced=True)
        self.wait(10)
        self.device("door-3", type="door")
        self.clock.at += 8
        self.crash()
        self.wait(25)
        self.say("door-2", "access.door", state="closed", forced=False)
        self.say("door-3", "access.door", state="closed", forced=False, ago=3600)
        self.wait(660, step=5)
        self.say("door-1", "access.door", state="closed", forced=True)
        self.wait(5)


class Api:
    """What people ask the API. `who` is `role` or `role@site`."""

    def __init__(self, client: httpx.AsyncClient, site: HomeLab, room: Room) -> None:
        self.room = room
        self._client = client
        self._site = site
        self._known = site.tokens

    async def ask(
        self, method: str, path: str, code: int = 200, *, who: str = "engineer", **body: Any
    ) -> dict[str, Any]:
        """The JSON of an answer; a GET's words stand in the path."""
        if who not in self._known:
            self._known[who] = secrets.token_urlsafe(16)
            role, _, place = who.partition("@")
            hashed = hashlib.sha256(self._known[who].encode()).hexdigest()
            name = who.replace("@", "-at-")
            self._site.act("token.create", id=name, name=name, role=role, sites=[place] if place else [], hash=hashed)
        headers = {"Authorization": f"Bearer {self._known[who]}"}
        answer = await self._client.request(method, path, headers=headers, json=body or None)
        assert answer.status_code == code, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def breathe(self) -> None:
        """Lets others go on."""
        await asyncio.sleep(0.02)

    async def until_over(self, path: str) -> dict[str, Any]:
        """A backtest when it no longer runs."""
        async with asyncio.timeout(120):
            while (run := await self.ask("GET", path))["state"] == "running":
                await asyncio.sleep(0.05)
        return run


def gatehouse(home: Home, *words: str) -> Result:
    """Runs the command in this process, on `home`."""
    return CliRunner().invoke(assemble(), ["--home", str(home.path), *words], prog_name="gatehouse")


def answer(result: Result, code: int = 0) -> Any:
    """The JSON a command printed."""
    assert result.exit_code == code, result.output + repr(result.exception)
    return json.loads(result.stdout)


def when(at: float) -> str:
    """A wall time as the command line takes it."""
    return datetime.fromtimestamp(at, UTC).isoformat()
