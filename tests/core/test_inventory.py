"""What the inventory refuses, so that no device stands where nobody looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.errors import Invalid
from tests.support.lab import Lab


def test_a_device_stands_in_a_zone_that_its_site_has(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.act("zone.put", id="east-gate", site="garden")
    lab.act("zone.put", id="b1", site="other")
    door: dict[str, Any] = {"site": "garden", "adapter": "cloudevents"}
    lab.act("device.add", id="door-90", zone="east-gate", **door)
    with pytest.raises(Invalid, match="site 'garden' has no zone 'east-gat': did you mean 'east-gate'"):
        lab.act("device.add", id="door-91", zone="east-gat", **door)
    with pytest.raises(Invalid, match="site 'garden' has no zone 'b1': it has east-gate"):
        lab.act("device.update", id="door-90", zone="b1")
    lab.act("device.add", id="door-92", **door)
    lab.act("device.add", id="door-93", zone="anything", site="nobody-described", adapter="cloudevents")
    lab.close()
