"""A mapping file that is wrong is refused with its place and what was probably meant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.mapping import MappingAdapter, MappingError, load_mapping
from adapters.mapping.profiles import read_profile
from tests.adapters.cases import ROOT

HEAD = "adapter: bell\ntitle: {en: Bell}\ntopics: [bell/+]\ndevice: $.id\nmessages:\n"


def refused(text: str) -> MappingError:
    with pytest.raises(MappingError) as caught:
        load_mapping(text, "bell.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("body", "line", "told"),
    [
        ("- alive: true\n  evnts: []\n", 7, "unknown word 'evnts' in a message; did you mean 'events'?"),
        ("- events:\n  - kind: a.b\n    feilds: {}\n", 8, "unknown word 'feilds' in an event; did you mean 'fields'?"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: {form: $.a}\n", 9, "did you mean 'from'?"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: {from: $.a, as: nubmer}\n", 9, "did you mean 'number'?"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: info.name\n", 9, "is no path"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: $.a[b]\n", 9, "cannot read '[b]'"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: $.a[*]\n", 9, "`each` only"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: {as: number}\n", 9, "exactly one of"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: {from: $.a, codec: base46}\n", 9, "did you mean 'base64'?"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: {from: $.a, table: t}\n", 9, "'t' is not one of"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: {from: $.a, otherwise: 1}\n", 9, "goes with"),
        ("- events:\n  - kind: a.b\n    fields:\n      x: 1\n      x: 2\n", 10, "'x' stands here twice"),
        ("- events:\n  - kind: a.b\n    time: {from: $.t}\n", 8, "needs `from` and `format`"),
        ("- events:\n  - kind: a.b\n    time: {from: $.t, format: epoch}\n", 8, "nor a pattern"),
        ("- events:\n  - kind: a.b\n    needs: [x]\n", 8, "there is no field 'x'"),
        ("- events:\n  - fields: {}\n", 7, "an event needs a `kind`"),
        ("- topic: a/#/b\n", 6, "is no topic filter"),
        ("- when: {$.a: [[1]]}\n", 6, "single values"),
        ("- when: {$.a: {greater: 1}}\n", 6, "unknown word 'greater' in a condition"),
        ("- when: {a: 1}\n", 6, "is no path"),
        ("- replies: [{topic: a}]\n", 6, "a reply needs a `payload`"),
        ("- replies: [{topic: 'a/{$.x', payload: b}]\n", 6, "a brace stands alone"),
        ("- result: {command: $.id}\n", 6, "a result needs `status`"),
        ("- question: {kind: dog, value: $.a, command: open}\n", 6, "'dog' is not one of plate, card, person"),
        ("- ignore: no use\n  alive: true\n", 6, "has no events"),
        ("- payload: xml\n", 6, "'xml' is not one of json, text"),
        ("- alive: perhaps\n", 6, "expected true or false"),
        ("- 7\n", 6, "expected a mapping"),
    ],
)
def test_a_wrong_word_is_refused_with_its_line(body: str, line: int, told: str) -> None:
    error = refused(HEAD + body)
    assert (error.file, error.line) == ("bell.yaml", line), error.message
    assert told in error.message
    assert error.message.startswith(f"bell.yaml:{line}:")


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "the file is empty"),
        ("a: [", 1, "not YAML"),
        ("a: b: c", 1, "not YAML"),
        ("topics: [bell/{id}]", 1, "texts with braces in quotes"),
        ("[]", 1, "expected a mapping"),
        ("adapter: x\ntitle: {en: X}\n", 1, "a mapping needs `messages`"),
        ("adapter: x\ntitle: {en: X}\nmessages: []\nmesages: []\n", 4, "did you mean 'messages'?"),
        ("adapter: x\ntitle: {en: X}\nmessages: [{alive: true, topic: a}]\n", 3, "a message needs a `device`"),
        ("adapter: x\ntitle: {en: X}\nmessages: [{alive: true, device: $.a}]\n", 3, "a message needs a `topic`"),
        (
            "adapter: x\ntitle: {en: X}\ncommands: {open: {}}\nmessages: [{ignore: n, topic: a}]\n",
            3,
            "a command needs `send`",
        ),
        (
            "adapter: x\ntitle: {en: X}\nprofiles: {from: settings.p, default: q}\nmessages: [{ignore: n, topic: a}]\n",
            3,
            "default: 'q' is not one of",
        ),
    ],
)
def test_a_file_that_is_no_mapping_says_what_it_lacks(text: str, line: int, told: str) -> None:
    error = refused(text)
    assert error.line == line and told in error.message, error.message


def test_a_profile_needs_tables() -> None:
    with pytest.raises(MappingError, match="a profile needs `tables`"):
        read_profile("title: {en: X}\n", "x.yaml")


def test_an_anchor_that_contains_itself_is_refused() -> None:
    assert "contains itself" in refused(HEAD + "- events: {kind: a.b, fields: {x: &x [*x]}}\n").message


LINES = (ROOT / "adapters/vzenith/mapping.yaml").read_text("utf-8").splitlines()


@given(data=st.data())
@settings(max_examples=60, deadline=None, database=None)
def test_no_damage_to_a_file_gives_anything_but_an_adapter_or_a_refusal_with_its_place(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(
            st.sampled_from(["", lines[at].strip(), lines[at] + " x", "  " + lines[at], lines[at][:9]]) | st.text()
        )
    try:
        load_mapping("\n".join(lines), "bell.yaml", {"plate": str, "plate_base64": str})
    except MappingError as error:
        story = error.message
        assert re.match(r"^bell\.yaml:\d+:\d+: ", story)


def test_tags_that_would_run_code_are_refused() -> None:
    with pytest.raises(MappingError):
        load_mapping(HEAD + "- alive: !!python/object/apply:os.getcwd []\n", "bell.yaml")


def test_a_sound_file_becomes_an_adapter_with_its_manifest() -> None:
    adapter = load_mapping(HEAD + "- alive: true\n- topic: 'bell/{id}/ring/#'\n  events: {kind: access.visitor}\n", "b")
    assert isinstance(adapter, MappingAdapter)
    assert adapter.manifest.topics == ("bell/+", "bell/+/ring/#")
    assert adapter.manifest.kinds == ("access.visitor",)


def test_a_filter_that_is_part_of_another_is_not_subscribed_to_twice() -> None:
    adapter = load_mapping(HEAD + "- topic: [bell/+/a, bell/+/+, bell/x/a]\n  alive: true\n", "b")
    assert adapter.manifest.topics == ("bell/+/+",)
