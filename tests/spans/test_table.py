"""What is declared once stays so: the span table, what is read of a span, facts, contributions and their messages."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from spanloom.schemas.facts_pb2 import Contribution as ContributionMessage
from spanloom.schemas.facts_pb2 import SpanColumns
from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.counters import Counters
from spanloom.spans.folding.fact import FACT_COLUMNS, Fact
from spanloom.spans.folding.rows import TRACE_TABLE, WINDOW_TABLE
from spanloom.spans.reading.span.row import SpanRow
from spanloom.spans.table import SPAN_TABLE, SPAN_TYPES, STATUSES

# Positions of these travel in messages and changelogs: names are added at the end, never moved and never removed.
RELEASED_SPAN_TYPES = (
    "DEFAULT",
    "LLM",
    "EMBEDDING",
    "TOOL",
    "AGENT",
    "CHAIN",
    "RETRIEVER",
    "RERANKER",
    "GUARDRAIL",
    "EVALUATOR",
)
RELEASED_STATUSES = ("unset", "ok", "error")


@pytest.mark.parametrize(
    ("names", "released"), [(SPAN_TYPES, RELEASED_SPAN_TYPES), (STATUSES, RELEASED_STATUSES)]
)
def test_positions_that_travel_stay(names: tuple[str, ...], released: tuple[str, ...]) -> None:
    assert names[: len(released)] == released
    assert len(set(names)) == len(names)


def fields(message: type[Message]) -> dict[str, Any]:
    return {field.name: field for field in message.DESCRIPTOR.fields}


def test_what_is_read_of_a_span_has_a_column() -> None:
    joined = {"attribute_keys", "attribute_texts"}  # the column `attributes`
    assert set(SpanRow._fields) - joined < set(SPAN_TABLE.names)


def test_facts_are_made_of_columns() -> None:
    assert set(FACT_COLUMNS) - {"version"} < set(SPAN_TABLE.names)


def test_every_fact_travels() -> None:
    assert fields(SpanColumns).keys() - {"texts"} == set(Fact._fields)


def test_texts_travel_as_texts_or_as_indexes_and_numbers_as_numbers() -> None:
    columns = fields(SpanColumns)
    for name, kind in get_type_hints(Fact).items():
        if kind is str and not name.endswith("_preview"):
            assert columns[name].type == FieldDescriptor.TYPE_UINT32, name
        elif name != "labels":
            texts = columns[name].type == FieldDescriptor.TYPE_STRING
            assert texts == (kind is str), name


def test_every_part_of_a_contribution_travels() -> None:
    parts = {*WindowKey._fields, *Contribution._fields, *Counters._fields} - {"window", "counters"}
    assert fields(ContributionMessage).keys() == parts | {"applied"}


@pytest.mark.parametrize("table", [TRACE_TABLE, WINDOW_TABLE], ids=["traces", "windows"])
def test_every_counter_is_a_column(table: object) -> None:
    assert set(Counters._fields) < set(table.names)  # type: ignore[attr-defined]
