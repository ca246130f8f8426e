"""The gateway as a user runs it, with a small compound of native devices behind one hub, for tests of the page."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tests.page.screens import NASTY
from tests.support.brokers import wait_until
from tests.support.gateway import RealGateway, cloud_event
from tests.support.mqtt_client import MqttTestClient

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SITE = "s1"
DOORS = 24
_LINK = re.compile(r"http://\S+/sign-in\?token=\S+")


def link_of(gateway: RealGateway) -> str:
    """The one-time sign-in link, as it was printed at the start."""
    found = _LINK.search(gateway.output())
    assert found is not None, f"no sign-in link in:\n{gateway.output()}"
    return found[0]


def sign_in(gateway: RealGateway, browser: Browser) -> tuple[Any, str]:
    """Uses that link. The browser's state with the session in it, and where the link ended."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(link_of(gateway))
        page.locator("dialog[open] .primary").wait_for()
        return context.storage_state(), page.url
    finally:
        context.close()


class RealPage(RealGateway):
    """`address` is where the page is; `signed_in` the browser's state once the printed link was used."""

    signed_in: Any

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self._numbers = count(1)

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self._furnish()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hub.close()
        self.monitor.close()
        super().__exit__(kind, error, trace)

    @property
    def address(self) -> str:
        """Where the page is, as `gatehouse run` printed it."""
        return f"http://localhost:{self.api_port}/"

    def _furnish(self) -> None:
        self.act("site.put", id=SITE, name={"en": "Maple Court", "zh": "枫林苑"})
        self.act("zone.put", id="b1", site=SITE, kind="building", name={"en": "Building 1", "zh": "1号楼"})
        behind = {"site": SITE, "adapter": "cloudevents", "connected_via": "hub", "zone": "b1"}
        doors = [
            {**behind, "id": f"door-{n:02}", "type": "door", "name": {"en": f"Door {n}", "zh": f"{n}号门"}}
            for n in range(1, DOORS + 1)
        ]
        lift = {**behind, "id": "lift-1", "type": "elevator", "name": {"en": "Lift 1", "zh": "1号电梯"}}
        nasty = {**behind, "id": "nasty", "type": "door", "name": {"en": NASTY, "zh": NASTY}}
        hub = {"id": "hub", "site": SITE, "adapter": "cloudevents", "type": "gateway", "name": {"en": "Hub"}}
        monitor = {"id": "monitor", "site": SITE, "adapter": "liftfault", "external_id": "31010", "type": "elevator"}
        secrets = self.add_devices([hub, monitor, lift, nasty, *doors])
        wait_until(lambda: self.get("/devices/nasty")["enabled"], what="the devices")
        self.hub = self._connected(secrets["hub"])
        self.monitor = self._connected(secrets["monitor"])
        self.hub.subscribe(f"gatehouse/v1/{SITE}/lift-1/commands")

    def _connected(self, credential: dict[str, str]) -> MqttTestClient:
        """The broker takes over new credentials within a moment."""
        client = self.client(credential)
        client.connect()
        return client

    def says(self, device: str, kind: str, **data: Any) -> None:
        """A device behind the hub publishes an event with QoS 1; returns after the PUBACK, so after the commit."""
        payload = cloud_event(device, kind, f"e{next(self._numbers)}", data, site=SITE)
        self.hub.publish(f"gatehouse/v1/{SITE}/{device}/events", payload)

    def forced(self, device: str, *, open_: bool = True) -> None:
        """The door is forced open, or shut again."""
        self.says(device, "access.door", state="open" if open_ else "closed", forced=open_, locked=not open_)

    def open_alerts(self) -> list[dict[str, Any]]:
        """What the API lists as open and not put aside: what the page's first tab must show."""
        items: list[dict[str, Any]] = self.get("/alerts", limit=500)["items"]
        return [each for each in items if each["state"] != "closed" and each["shelving"] is None]
