"""Built-in adapters, those of other packages and a site's own come through one door."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

import adapters
from adapters import AdapterError, MappingError, find_adapter, load_adapters
from adapters.trial import try_message
from gateway.contract import Context, Decoded, Manifest, Reading

MAPPING = """
adapter: bell
title: {en: Bell}
aliases: [gong]
topics: bell/{id}
device: topic.id
messages: [{events: {kind: access.visitor}}]
"""


class Doorbell:
    manifest = Manifest(name="doorbell", title={"en": "Doorbell"}, topics=("ring/+",), kinds=("access.visitor",))

    def decode(self, topic: str, payload: bytes, context: Context) -> Decoded:
        return Decoded(topic.split("/")[1], [Reading("access.visitor", {})])


def test_the_native_format_has_two_names() -> None:
    found = load_adapters()
    assert find_adapter(found, "native") is found["cloudevents"] is find_adapter(found, "cloudevents")
    assert find_adapter(found, "morse") is None
    assert list(found) == [name for name, _ in adapters.BUILT_IN]


def test_a_folder_that_is_not_there_adds_nothing(tmp_path: Path) -> None:
    assert set(load_adapters(tmp_path / "mappings")) == set(load_adapters())


def test_a_mapping_in_the_folder_is_an_adapter_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "bell.yaml").write_text(MAPPING)
    found = load_adapters(tmp_path)
    assert find_adapter(found, "gong") is found["bell"]
    assert try_message(found["bell"], "bell/b-1", b"{}")["events"] == [{"kind": "access.visitor", "data": {}}]


def test_a_taken_name_is_refused_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MAPPING.replace("gong", "tasmota"))
    with pytest.raises(AdapterError, match=r"a\.yaml: the name 'tasmota' is taken by the built-in adapter tasmota"):
        load_adapters(tmp_path)


def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "bell.yaml").write_text(MAPPING.replace("kind", "knid"))
    with pytest.raises(MappingError, match=r"bell\.yaml:7:\d+: unknown word 'knid' in an event; did you mean 'kind'\?"):
        load_adapters(tmp_path)
    (tmp_path / "bell.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(MappingError, match="not UTF-8"):
        load_adapters(tmp_path)


def test_a_sites_own_fault_table_is_chosen_by_the_lifts_setting(tmp_path: Path) -> None:
    folder = tmp_path / "profiles" / "liftfault"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("title: {en: Mine}\ntables: {faults: {E1: entrapment}, door: {}, motion: {}}\n")
    fault = '{"keyId":"k","faultType":"E1","faultEndTime":""}'
    message = f'{{"type":"LiftFault","elevatorNo":"1","ErrorListBean":[{fault}]}}'.encode()
    result = try_message(
        load_adapters(tmp_path)["liftfault"], "/API/V1/Up/LiftFault", message, settings={"profile": "mine"}
    )
    assert result["events"][0]["data"]["fault"] == "entrapment"


def test_other_packages_offer_adapters_through_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("doorbell", f"{__name__}:Doorbell", adapters.ENTRY_POINT_GROUP)
    monkeypatch.setattr(adapters, "entry_points", lambda group: [point])
    assert load_adapters()["doorbell"].manifest.name == "doorbell"


def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = metadata.EntryPoint("doorbell", "no.such.module:create", adapters.ENTRY_POINT_GROUP)
    monkeypatch.setattr(adapters, "entry_points", lambda group: [point])
    with pytest.raises(AdapterError, match=r"adapter 'doorbell' \(no\.such\.module:create\).*repair or uninstall"):
        load_adapters()
