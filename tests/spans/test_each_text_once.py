"""A stored row has each text once, and everything that its span table had."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.each_text_once import KEY_COLUMNS, STORED_TABLE, each_text_once
from spanloom.spans.reading.stored.messages import STORED_SPANS, messages
from tests.spans.reading.otlp_examples import read, request, span
from tests.warehouse.tables import spans

TEXTS = st.sampled_from(["", "a", "b", "aa", "é", "a long text that is sent", "a long text that was sent"])
NAMES = [
    "mastra.agent.input",
    "mastra.tool.input",
    "mastra.agent.output",
    "gen_ai.prompt.0.content",
    "gen_ai.prompt.0.role",
    "input.value",
    "output.value",
    "other",
]
NOW = 1_790_000_000_000

ROWS = st.fixed_dictionaries(
    {
        "input": TEXTS,
        "output": TEXTS,
        "attributes": st.dictionaries(st.sampled_from(["k", "l", "m", "n", ""]), TEXTS).map(
            lambda found: list(found.items())
        ),
    }
)


def stored(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    table = each_text_once(spans(*rows))
    table.validate(full=True)
    assert table.select(STORED_TABLE.names).schema == STORED_TABLE
    found: list[dict[str, Any]] = table.select(["input", "output", "attributes", *KEY_COLUMNS]).to_pylist()
    return found


def put_back(row: dict[str, Any]) -> list[tuple[str, str]]:
    """All attributes of a stored row, as the column `all_attributes` has them."""
    named = {row["input_key"]: row["input"], row["output_key"]: row["output"]}
    return [(key, named[key] if key and key in named else text) for key, text in row["attributes"]]


@given(st.lists(ROWS, max_size=6))
def test_nothing_is_lost_and_nothing_left_twice(rows: list[dict[str, Any]]) -> None:
    for before, after in zip(rows, stored(*rows), strict=True):
        assert (after["input"], after["output"]) == (before["input"], before["output"])
        assert put_back(after) == before["attributes"]
        for name, key in (("input", "input_key"), ("output", "output_key")):
            twice = [text for named, text in before["attributes"] if named and text and text == before[name]]
            assert bool(after[key]) <= bool(twice)
            assert (before["input"] == before["output"]) or bool(after[key]) == bool(twice)


def test_the_attribute_that_is_the_input_stands_in_its_column_only() -> None:
    [row] = stored(
        {"input": "hello", "output": "hi", "attributes": [("a", "x"), ("in", "hello"), ("b", "hello")]}
    )
    assert row == {
        "input": "hello",
        "output": "hi",
        "attributes": [("a", "x"), ("in", ""), ("b", "hello")],
        "input_key": "in",
        "output_key": "",
    }


def test_one_text_that_is_input_and_output_is_put_back_under_both_keys() -> None:
    [row] = stored({"input": "same", "output": "same", "attributes": [("in", "same"), ("out", "same")]})
    assert row["attributes"] == [("in", ""), ("out", "")]
    assert (row["input_key"], row["output_key"]) == ("in", "out")


def test_an_attribute_without_a_name_is_left_where_it_is() -> None:
    [row] = stored({"input": "hello", "attributes": [("", "hello")]})
    assert (row["attributes"], row["input_key"]) == ([("", "hello")], "")


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_a_part_of_a_table_is_read_like_a_whole_one(rows: int) -> None:
    some = [{"input": f"text {at}", "attributes": [("x", "y"), ("in", f"text {at}")]} for at in range(5)]
    whole = spans(*some)
    assert (
        each_text_once(whole.slice(1, rows)).to_pylist() == each_text_once(whole).slice(1, rows).to_pylist()
    )
    joined = pa.concat_tables([whole.slice(0, 2), whole.slice(2)])
    assert each_text_once(joined).to_pylist() == each_text_once(whole).to_pylist()


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(["ok", "A text", "user", "[]"])),
        unique_by=lambda at: at[0],
    )
)
def test_a_span_that_is_read_again_is_what_it_was(attributes: list[tuple[str, str]]) -> None:
    """Keys of one rank, and members of a message, go by the order in which they were sent."""
    given = reread(read(request(span(dict(attributes)))).table)
    assert given.equals(reread(given))


def reread(table: pa.Table) -> pa.Table:
    """A span table out of what is stored of another, without versions."""
    versions = pa.array([1] * table.num_rows, pa.uint64())
    rows = each_text_once(table.append_column(pa.field("version", pa.uint64(), False), versions))
    at = rows.schema.get_field_index("attributes")
    column = pa.array(map(put_back, rows.to_pylist()), rows.schema.field(at).type)
    whole = rows.set_column(at, rows.schema.field(at), column).select([*STORED_SPANS.names])
    [message] = messages(whole, lambda *_: 0, lambda _: (1, NOW))
    return read(message.value).table
