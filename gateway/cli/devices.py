"""`gatehouse device …`: the inventory from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import Group, Place, json_option, print_json, print_table, with_place
from gateway.errors import NotFound, UsageError


def register(root: click.Group, broker: click.Group) -> None:
    """Adds the commands."""
    root.add_command(device)


@click.group(cls=Group)
def device() -> None:
    """Add, list, show, disable and enable devices."""


@device.command()
@with_place
@click.option("--site", required=True, help="The site it belongs to.")
@click.option("--id", "device_id", required=True, help="Its id: letters, digits, '-' and '_', unique in the gateway.")
@click.option("--adapter", default="cloudevents", show_default=True, help="The wire format it speaks.")
@click.option("--serial", help="The maker's own serial, by which its messages name it [default: the id].")
@click.option("--type", "kind", default="device", show_default=True, help="door, barrier, elevator, meter …")
@click.option("--name", help="Its name in English.")
@click.option("--name-zh", help="Its name in Chinese.")
@click.option("--zone", help="The zone it stands in.")
@click.option("--building", help="The building it stands in.")
@click.option("--connected-via", help="The device through which it is connected.")
@click.option("--setting", multiple=True, metavar="KEY=VALUE", help="A setting of its adapter; may be repeated.")
def add(place: Place, site: str, device_id: str, adapter: str, setting: tuple[str, ...], **more: str | None) -> None:
    """Register a device and print its MQTT credential as JSON. The password is shown this once.

    \b
    Example:
      gatehouse device add --site s1 --id door-1 --adapter cloudevents --type door
    """
    from gateway.app.acting import acting, wait_for_broker
    from gateway.app.credentials import new_password
    from gateway.broker import hash_password

    settings = place.settings
    password = new_password()
    names = {"en": more.pop("name"), "zh": more.pop("name_zh")}
    args: dict[str, Any] = {
        "id": device_id,
        "site": site,
        "adapter": adapter,
        "external_id": more.pop("serial"),
        "type": more.pop("kind"),
        "name": {language: name for language, name in names.items() if name},
        "settings": dict(_pair(text) for text in setting),
        **more,
    }
    args = {key: value for key, value in args.items() if value is not None}
    with acting(place.home, settings) as act:
        added = act("device.add", **args, secret_hash=hash_password(password))
    if not wait_for_broker(place.home, place.settings):
        click.echo("gatehouse device add: the broker has not taken over the credential yet: see its log", err=True)
    print_json(_credential(place, added, password))


def _pair(text: str) -> tuple[str, Any]:
    key, separator, value = text.partition("=")
    if not separator:
        raise UsageError(f"--setting {text!r}: write KEY=VALUE, for example --setting direction=in")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _credential(place: Place, device: dict[str, Any], password: str) -> dict[str, Any]:
    from adapters import load_adapters
    from gateway.app.credentials import topics_of
    from gateway.model import Device

    mqtt = place.settings.mqtt
    known = Device(**{name: value for name, value in device.items() if name in Device.__struct_fields__})
    adapter = load_adapters(place.home.mappings)[known.adapter]
    publish, subscribe = topics_of(known, adapter)
    url = mqtt.url or f"{'mqtts' if mqtt.tls_cert else 'mqtt'}://localhost:{mqtt.port}"
    return {
        "device": known.id,
        "site": known.site,
        "adapter": known.adapter,
        "url": url,
        "username": known.id,
        "password": password,
        "publish": publish,
        "subscribe": subscribe,
    }


@device.command(name="list")
@with_place
@click.option("--site", help="Only this site's.")
@json_option
def list_devices(place: Place, site: str | None, as_json: bool) -> None:
    """List the devices.

    \b
    Example:
      gatehouse device list --site s1 --json
    """
    from gateway.app.reading import devices

    found = [item for item in devices(place.home, place.settings) if site in (None, item["site"])]
    if as_json:
        print_json(found)
        return
    print_table(
        [(item["id"], item["site"], item["type"], item["adapter"], item["external_id"], _on(item)) for item in found],
        ("ID", "SITE", "TYPE", "ADAPTER", "SERIAL", "STATE"),
    )


def _on(item: dict[str, Any]) -> str:
    return "enabled" if item["enabled"] else "disabled"


@device.command()
@with_place
@click.argument("device_id")
@json_option
def show(place: Place, device_id: str, as_json: bool) -> None:
    """Show one device: its record and the last it said.

    \b
    Example:
      gatehouse device show door-1
    """
    from gateway.app.reading import devices

    found = next((item for item in devices(place.home, place.settings) if item["id"] == device_id), None)
    if found is None:
        raise NotFound("device", device_id)
    if as_json:
        print_json(found)
        return
    for key, value in found.items():
        click.echo(f"{key:16} {value}")


def _switch(place: Place, name: str, device_id: str) -> None:
    from gateway.app.acting import acting, wait_for_broker

    with acting(place.home, place.settings) as act:
        act(name, id=device_id)
    wait_for_broker(place.home, place.settings)


@device.command()
@with_place
@click.argument("device_id")
def disable(place: Place, device_id: str) -> None:
    """Disable a device: its credential is refused and its connection ended.

    \b
    Example:
      gatehouse device disable door-1
    """
    _switch(place, "device.disable", device_id)
    click.echo(f"{device_id} is disabled")


@device.command()
@with_place
@click.argument("device_id")
def enable(place: Place, device_id: str) -> None:
    """Enable a device again.

    \b
    Example:
      gatehouse device enable door-1
    """
    _switch(place, "device.enable", device_id)
    click.echo(f"{device_id} is enabled")


@device.command(name="import")
@with_place
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--credentials", type=click.Path(dir_okay=False, path_type=Path), required=True,
              help="Where the new devices' credentials are written, readable by you alone.")  # fmt: skip
def import_devices(place: Place, file: Path, credentials: Path) -> None:
    """Register all devices of a JSON file (a list of device records). All or none; known ones are left alone.

    \b
    Example:
      python -m simulators devices demo > devices.json
      gatehouse device import devices.json --credentials credentials.json
    """
    from gateway.app.bulk import import_file

    added = import_file(place.home, place.settings, file, credentials)
    click.echo(f"{added} devices added; their credentials are in {credentials}")
