"""Devices that speak and are not registered."""

from __future__ import annotations

from starlette.responses import Response

from gateway.api.acting import Body, Id, Named, NewId, Short, act, found, read, require_site
from gateway.api.auth import Who, needs, resource_router
from gateway.api.paging import Cursor, Limit, listing, place_of
from gateway.api.reply import versioned
from gateway.api.room import InRoom
from gateway.api.schema import Listing, NewDeviceOut, UnregisteredOut
from gateway.api.sign_in import hash_device_secret, new_secret
from gateway.model import Role

router = resource_router("quarantine")


class AdoptIn(Body):
    """What the device shall be called, and where it is."""

    id: NewId
    site: NewId
    name: Named | None = None
    type: Short | None = None
    zone: NewId | None = None
    building: Short | None = None


@router.get("/quarantine", **needs(Role.ENGINEER), response_model=Listing[UnregisteredOut])  # type: ignore[valid-type]
def quarantine(room: InRoom, actor: Who, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """Devices that speak and are not registered."""
    page = room.reader.quarantine(actor.sites, after=place_of(cursor, str, str), limit=limit)
    return listing(page, room.presenter.unregistered)


@router.post(
    "/quarantine/{adapter}/{external_id}/adopt",
    status_code=201,
    **needs(Role.ENGINEER),
    response_model=NewDeviceOut,
)
async def adopt(adapter: Id, external_id: Id, body: AdoptIn, room: InRoom, actor: Who) -> Response:
    """Registers such a device. Its credential is in this answer and nowhere else."""
    require_site(actor, body.site)
    found(await read(room.reader.unregistered, adapter, external_id, actor.sites), "device in quarantine", external_id)
    secret = new_secret()
    hashed = await read(hash_device_secret, secret)
    given = body.model_dump(exclude_none=True)
    await act(room, actor, "device.adopt", adapter=adapter, external_id=external_id, **given, secret_hash=hashed)
    row = found(await read(room.reader.device, body.id, actor.sites), "device", body.id)
    shown = {**room.presenter.device(row), "credential": {"username": body.id, "password": secret}}
    return versioned(shown, 201, {"Location": f"/api/v1/devices/{body.id}"})
