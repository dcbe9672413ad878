"""Input that is meant to break or to stop a worker: it costs at most itself. Properties are in tests/fuzz."""

from __future__ import annotations

import json
from typing import Any

import pytest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from spanloom.spans.conventions.readers import cost, tokens
from spanloom.spans.limits import TRUNCATED
from spanloom.spans.text.parsing import parse_json
from tests.fuzz.law import holds
from tests.fuzz.words import KEYS, NUMBERS, PREFIXES, RESTS
from tests.spans.reading.otlp_examples import (
    LIMITS,
    SPAN_ID,
    START,
    TRACE_ID,
    event,
    request,
    row,
    row_of,
    rows,
    span,
)

NOT_COUNTS = [
    "",
    " ",
    "1_000",
    "٣",
    "１",
    "NaN",
    "inf",
    "-Infinity",
    "1e400",
    "-1",
    "0x10",
    "1,5",
    "9" * 5000,
]


@pytest.mark.parametrize("text", [*NOT_COUNTS, str(2**63), "1e13", "9" * 65])
def test_what_is_no_count(text: str) -> None:
    assert tokens(text) is None


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("-0", 0), ("7", 7), ("7.0", 7), (" 7 ", 7), ("+7", 7), ("1e3", 1000)]
)
def test_what_is_a_count(text: str, count: int) -> None:
    assert tokens(text) == count


@pytest.mark.parametrize("text", [*NOT_COUNTS, "1e6"])
def test_what_is_no_cost(text: str) -> None:
    assert cost(text) is None


@pytest.mark.parametrize(
    "value", [2**63 - 1, -1, float("nan"), float("inf"), 1e300, True, [], {}, b"5", None]
)
def test_hostile_numbers_count_as_absent(value: Any) -> None:
    given = {"gen_ai.usage.input_tokens": value, "gen_ai.usage.prompt_tokens": 7, "gen_ai.usage.cost": value}
    found = row(given)
    assert (found["input_tokens"], found["total_cost"], found["priced"]) == (7, 0, 0)


@pytest.mark.parametrize("number", [10**400, 1e300, -1, "1_000", "9" * 4300, None, True, [5], {"a": 5}])
@pytest.mark.parametrize("key", ["langfuse.observation.usage_details", "langfuse.observation.cost_details"])
def test_hostile_numbers_in_json_count_as_absent(key: str, number: Any) -> None:
    found = row({key: json.dumps({"input": number, "output": 7, "total": number})})
    assert found["input_tokens"] == 0
    assert found["input_cost"] == 0


@pytest.mark.parametrize("depth", [100, 200, 201, 1000, 100_000])
@pytest.mark.parametrize("form", [("[", "]"), ('{"content":', "}"), ('[{"role":"user","parts":', "}]")])
def test_json_nested_deep_is_read_or_text(depth: int, form: tuple[str, str]) -> None:
    text = form[0] * depth + "1" + form[1] * depth
    for key in ("gen_ai.input.messages", "tag.tags", "metadata", "langfuse.observation.usage_details"):
        found = holds(request(span({key: text, "gen_ai.operation.name": "chat"})))
        assert found.table.num_rows == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["\\ud800"]', ["�"]),
        ('["\\uDC00x"]', ["�x"]),
        ('["\\ud83d\\ude4f"]', ["🙏"]),
        ('["\\ud83d\\ud83d\\ude4f\\ude4f"]', ["�🙏�"]),
        ('["\\ud83d", "\\ude4f"]', ["�", "�"]),
        ('["\\\\ud800", "\\ud800"]', ["\\ud800", "�"]),
        ('{"\\ud800": 1}', {"�": 1}),
        ('["\ud800", "\\ud800"]', ["�", "�"]),
    ],
)
def test_lone_surrogates_in_json_become_replacement_characters(text: str, value: object) -> None:
    assert parse_json(text) == value


@pytest.mark.parametrize("text", ['["\\ud800"', '["\\ud8"]', "\\ud800", "[" * 300 + '"\\ud800"' + "]" * 300])
def test_json_that_lone_surrogates_do_not_explain_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(text)


@pytest.mark.parametrize("key", [*KEYS, *(prefix + "0." + rest for prefix in PREFIXES for rest in RESTS[:2])])
def test_every_key_takes_any_type(key: str) -> None:
    values: list[Any] = [
        None,
        True,
        -1,
        2**63 - 1,
        0.5,
        float("nan"),
        b"\xff\x00",
        [],
        {},
        [[{"a": [None]}]],
        *NUMBERS,
    ]
    values += [
        "\x00",
        "[",
        '{"a":',
        '"',
        "[[[",
        "\u202e",
        '{"role":1}',
        "null",
        "[null]",
        '{"choices":[null]}',
    ]
    given = [
        span({key: value}, span_id=number.to_bytes(8), events=[event("exception", {key: value})])
        for number, value in enumerate(values, 1)
    ]
    assert holds(request(*given)).table.num_rows == len(values)


@pytest.mark.parametrize(
    "resource", [{"service.name": 7}, {"service.name": [b"x"]}, {"service.name": None}, {"": ""}]
)
def test_resources_take_any_type(resource: dict[str, Any]) -> None:
    assert holds(request(span(), resource=resource)).table.num_rows == 1


@pytest.mark.parametrize(
    ("start", "end"), [(0, 0), (0, 2**64 - 1), (2**64 - 1, 0), (START, START - 1), (2**63, 2**63)]
)
def test_any_times(start: int, end: int) -> None:
    given = span(
        {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 5, "gen_ai.system": "openai"}
    )
    given.start_time_unix_nano, given.end_time_unix_nano = start, end
    given.events.extend([event("gen_ai.choice", {}, start), event("", {}, end)])
    assert holds(request(given)).table.num_rows == 1


class TestMillions:
    def test_of_a_million_attributes_the_first_and_those_that_give_a_field_stay(self) -> None:
        given = span({"a": 1})
        given.attributes.extend([KeyValue(key=f"{number}") for number in range(5000)] * 200)
        given.attributes.add(key="session.id").value.string_value = "s"
        found = holds(request(given)).table
        assert len(found["attributes"][0]) == LIMITS.attributes + 1
        assert found["session_id"].to_pylist() == ["s"]

    def test_of_a_million_events_the_first_stay(self) -> None:
        given = span()
        given.events.extend([event("e", {})] * 1_000_000)
        found = holds(request(given)).table
        assert len(found["events"][0]) == LIMITS.events
        assert dict(found["attributes"].to_pylist()[0])[TRUNCATED] == "events"

    def test_huge_indexes_take_no_more_room_than_small_ones(self) -> None:
        indexes = ["999999", "0", "500000", "999999999", "-1", "9" * 100, "00"]
        found = row({f"gen_ai.prompt.{index}.content": index for index in indexes})
        # Equal indexes are one message, whose last member counts; what is no index is no message.
        assert [each["content"] for each in json.loads(found["input"])] == ["00", "500000", "999999"]

    @pytest.mark.parametrize("form", ["content", "parts"])
    def test_a_history_of_ten_thousand_messages(self, form: str) -> None:
        def content(text: str) -> Any:
            return text if form == "content" else [{"type": "text", "content": text}]

        history = [{"role": "user", form: content(f"message {number}")} for number in range(10_000)]
        found = row({"gen_ai.operation.name": "chat", "gen_ai.input.messages": json.dumps(history)})
        assert found["input_preview"] == "message 9999"
        assert json.loads(found["input"]) == history

    def test_bad_spans_do_not_grow(self) -> None:
        value = request(*[span(trace_id=b"")] * 5000)
        rejects = holds(value).rejects
        assert len(rejects) == LIMITS.rejects + 1
        assert sum(len(reject.payload) for reject in rejects) < 2 * len(value)


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦🏳️‍🌈",
        "\u202eשלום\u2066 مرحبا\u2069",
        "\x00\x01\x1b[31m\x7f\u0085\u2028",
        "e\u0301 ｗｉｄｅ 漢字 ไทย हिन्दी",
        "\ufeff\ufffe\uffff\U0010ffff",
    ],
)
def test_every_language_survives_in_every_place(text: str) -> None:
    messages = json.dumps([{"role": "user", "content": text}])
    given = span(
        {"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages, text: text, "session.id": text}
        | {"tag.tags": [text], "metadata": json.dumps({text: text}), "user.id": text},
        name=text,
        events=[event(text, {text: text})],
    )
    found = row_of(given)
    assert [found[name] for name in ("name", "session_id", "user_id", "input_preview")] == [text] * 4
    assert found["tags"] == [text]
    assert found["metadata"] == {text: text}
    assert found["attributes"][text] == text
    assert found["events"][0]["attributes"] == [(text, text)]
    assert found["input"] == messages


@pytest.mark.parametrize("extra", range(4))
def test_a_cut_leaves_whole_characters(extra: int) -> None:
    text = "x" * extra + "👨‍👩‍👧‍👦" * 2000
    messages = json.dumps([{"role": "user", "content": text}], ensure_ascii=False)
    found = row({"gen_ai.operation.name": "chat", "gen_ai.input.messages": messages, "session.id": text})
    assert found["input_preview"] == text[:4096]
    assert found["session_id"].partition("~")[0] == text[: 1024 - 17]


def test_ids_of_any_form_in_json() -> None:
    good = {"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex()}
    forms: list[Any] = [
        None,
        5,
        "",
        "zz" * 16,
        "0" * 32,
        "0" * 16,
        "ab",
        " " * 32,
        "é" * 32,
        [],
        {},
        "01 " * 10,
    ]
    given = [good | {name: form} for name in ("traceId", "spanId", "parentSpanId") for form in forms]
    decoded = holds(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [good, *given]}]}]}).encode())
    # The good one, and those whose parent is absent, empty in any way, or zero.
    assert [each["parent_span_id"] for each in rows(decoded)] == [""] * 6
