"""A stored row has each text once, and everything that its span table had."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.each_text_once import KEY_COLUMNS, STORED_TABLE, each_text_once
from tests.warehouse.tables import spans

TEXTS = st.sampled_from(["", "a", "b", "aa", "é", "a long text that is sent", "a long text that was sent"])
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


def put_back(row: dict[str, Any]) -> dict[str, str]:
    """All attributes of a stored row, as the column `all_attributes` has them."""
    named = {row["input_key"]: row["input"], row["output_key"]: row["output"]}
    return dict(row["attributes"]) | {key: text for key, text in named.items() if key}


@given(st.lists(ROWS, max_size=6))
def test_nothing_is_lost_and_nothing_left_twice(rows: list[dict[str, Any]]) -> None:
    for before, after in zip(rows, stored(*rows), strict=True):
        assert (after["input"], after["output"]) == (before["input"], before["output"])
        assert put_back(after) == dict(before["attributes"])
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
        "attributes": [("a", "x"), ("in", "hello")],
        "input_key": "b",
        "output_key": "",
    }


def test_one_text_that_is_input_and_output_is_put_back_under_both_keys() -> None:
    [row] = stored({"input": "same", "output": "same", "attributes": [("in", "same"), ("out", "same")]})
    assert row["attributes"] == []
    assert (row["input_key"], row["output_key"]) == ("in", "out")


def test_of_several_attributes_with_one_text_the_order_does_not_decide() -> None:
    given = [("b", "hello"), ("c", "hello"), ("a", "hello"), ("x", "y")]
    rows = stored(*({"input": "hello", "attributes": some} for some in (given, given[::-1])))
    assert [row["input_key"] for row in rows] == ["a", "a"]
    assert (
        sorted(rows[0]["attributes"])
        == sorted(rows[1]["attributes"])
        == [("b", "hello"), ("c", "hello"), ("x", "y")]
    )


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
