"""Sites and zones."""

from __future__ import annotations

from starlette.responses import Response

from gateway.api.acting import Body, Id, Named, NewId, Number, Short, Word, act, found, read, require_site
from gateway.api.auth import Who, needs, resource_router
from gateway.api.reply import reply
from gateway.api.room import InRoom
from gateway.api.schema import Listing, SiteOut, ZoneOut
from gateway.model import Role

router = resource_router("places")


class SiteIn(Body):
    """What a site is."""

    name: Named
    timezone: Short = "Asia/Shanghai"
    lateness: Number = 60.0


class ZoneIn(Body):
    """What a zone is."""

    site: NewId
    name: Named
    kind: Short = "zone"
    parent: NewId | None = None


@router.get("/sites", **needs(Role.VIEWER), response_model=Listing[SiteOut])  # type: ignore[valid-type]
def sites(room: InRoom, actor: Who) -> Response:
    """The sites the caller may see."""
    return reply({"items": [room.presenter.site(site) for site in room.reader.sites(actor.sites)], "next": None})


@router.put("/sites/{id}", **needs(Role.ENGINEER), response_model=SiteOut)
async def put_site(id: Id, body: SiteIn, room: InRoom, actor: Who) -> Response:
    """Adds a site, or changes it."""
    require_site(actor, id)
    await act(room, actor, "site.put", id=id, **body.model_dump())
    site = found(next(iter(await read(room.reader.sites, (id,))), None), "site", id)
    return reply(room.presenter.site(site))


@router.get("/zones", **needs(Role.VIEWER), response_model=Listing[ZoneOut])  # type: ignore[valid-type]
def zones(room: InRoom, actor: Who, site: Word = None) -> Response:
    """The zones, of one site or of all."""
    return reply({"items": [room.presenter.zone(zone) for zone in room.reader.zones(actor.sites, site)], "next": None})


@router.put("/zones/{id}", **needs(Role.ENGINEER), response_model=ZoneOut)
async def put_zone(id: Id, body: ZoneIn, room: InRoom, actor: Who) -> Response:
    """Adds a zone, or changes it."""
    require_site(actor, body.site)
    known = next((zone for zone in await read(room.reader.zones) if zone.id == id), None)
    if known is not None:
        require_site(actor, known.site)
    await act(room, actor, "zone.put", id=id, **body.model_dump())
    zone = next((zone for zone in await read(room.reader.zones, actor.sites) if zone.id == id), None)
    return reply(room.presenter.zone(found(zone, "zone", id)))
