"""Every example of docs/adapters.md is run, and every word of the mapping language stands in it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from adapters import BUILT_IN, load_adapters
from adapters.mapping import MappingAdapter, commands, engine, events, load_mapping, messages, profiles, read_profile
from adapters.mapping import conditions as condition_words
from adapters.mapping import times as time_words
from adapters.mapping import values as value_words
from adapters.trial import try_message
from gateway.catalogue import load_catalogue
from gateway.model.command import Command
from gateway.model.place import Device
from tests.adapters.cases import ROOT

TEXT = (ROOT / "docs/adapters.md").read_text("utf-8")
BLOCK = re.compile(r"^```(?P<info>[^\n]*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(match["info"].strip(), match["body"]) for match in BLOCK.finditer(TEXT)]


def _messages() -> list[Any]:
    """Mapping, topic, message and expected result, as they follow each other."""
    found: list[Any] = []
    mapping = topic = message = ""
    for info, body in BLOCKS:
        if info == "yaml mapping":
            mapping = body
        elif info.startswith("json message "):
            topic, message = info.removeprefix("json message "), body
        elif info == "json result":
            found.append(pytest.param(mapping, topic, message, body, id=f"{len(found)}: {topic}"))
    return found


@pytest.mark.parametrize(("mapping", "topic", "message", "result"), _messages())
def test_every_message_of_the_documentation_gives_the_result_beside_it(
    mapping: str, topic: str, message: str, result: str
) -> None:
    adapter = load_mapping(mapping, "docs/adapters.md")
    assert json.loads(json.dumps(try_message(adapter, topic, message.encode()))) == json.loads(result)


def test_every_mapping_of_the_documentation_uses_kinds_of_the_catalogue() -> None:
    catalogue = load_catalogue()
    for info, body in BLOCKS:
        if info == "yaml mapping":
            assert all(catalogue.get(kind) for kind in load_mapping(body, "docs").manifest.kinds)


def test_the_native_event_of_the_documentation_is_read() -> None:
    ((info, body),) = [block for block in BLOCKS if block[0].startswith("json native ")]
    result = try_message(load_adapters()["cloudevents"], info.removeprefix("json native "), body.encode())
    (event,) = result["events"]
    assert (event["id"], event["sequence"], event["boot"]) == ("meter-7 2f-41", 41, "2f")


def test_the_command_of_the_documentation_is_sent_as_shown() -> None:
    mapping = ""
    for info, body in BLOCKS:
        if info == "yaml mapping":
            mapping = body
        if info.startswith("json command "):
            name, args = info.removeprefix("json command ").split(" ", 1)
            adapter = load_mapping(mapping, "docs")
            assert isinstance(adapter, MappingAdapter)
            command = Command(id="cmd-1", site="s", device="d", name=name, args=json.loads(args))
            device = Device(id="d", site="s", adapter="gatebox", external_id="box-1")
            (packet,) = adapter.encode(command, device)
            assert {"topic": packet.topic, "payload": json.loads(packet.payload)} == json.loads(body)


def test_the_profile_of_the_documentation_is_read() -> None:
    ((_, body),) = [block for block in BLOCKS if block[0] == "yaml profile"]
    assert read_profile(body, "docs")["faults"]["E1"] == "entrapment"


def test_every_word_of_the_language_is_documented() -> None:
    words = {
        *engine._WORDS,
        *messages.WORDS,
        *events._WORDS,
        *value_words._WORDS,
        *condition_words._TESTS,
        *time_words._WORDS,
        *time_words.FORMATS,
        *commands._WORDS,
        *commands._ARG_WORDS,
        *commands._SEND_WORDS,
        *profiles._WORDS,
        *messages._QUESTION_WORDS,
        *messages._RESULT_WORDS,
    }
    missing = [word for word in sorted(words) if not re.search(rf"\b{word}\b", TEXT)]
    assert not missing, f"docs/adapters.md does not speak of {missing}"


def test_every_built_in_adapter_is_documented() -> None:
    assert [name for name, _ in BUILT_IN if f"`{name}`" not in TEXT] == []
