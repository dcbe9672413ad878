"""A trace's spans as lines of a tree, whatever their parents claim."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.rendering.span_tree import Row, rows_of
from spanloom.warehouse.queries.answers import TreeSpan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def span(span_id: str, parent: str = "") -> TreeSpan:
    values: dict[str, Any] = dict.fromkeys(TreeSpan.model_fields)
    values |= {"span_id": span_id, "parent_span_id": parent, "start_time": NOW, "end_time": NOW}
    return TreeSpan.model_construct(None, **values)


def lines(rows: list[Row]) -> list[tuple[str, int, int, bool]]:
    return [(row.span.span_id, row.depth, row.descendants, row.orphan) for row in rows]


def test_parents_come_before_children_and_siblings_in_their_order() -> None:
    spans = [span("a"), span("b", "a"), span("c", "a"), span("d", "b"), span("e")]
    assert lines(rows_of(spans)) == [
        ("a", 0, 3, False),
        ("b", 1, 1, False),
        ("d", 2, 0, False),
        ("c", 1, 0, False),
        ("e", 0, 0, False),
    ]


def test_a_span_whose_parent_is_missing_stands_at_the_top() -> None:
    assert lines(rows_of([span("a"), span("b", "x"), span("c", "b")])) == [
        ("a", 0, 0, False),
        ("b", 0, 1, True),
        ("c", 1, 0, False),
    ]


def test_spans_that_are_each_others_parents_are_there_once() -> None:
    found = lines(rows_of([span("a", "b"), span("b", "a"), span("c", "c")]))
    assert [line[0] for line in found] == ["c", "a", "b"]


def test_a_trace_of_20000_levels_is_a_tree() -> None:
    rows = rows_of([span(str(n), str(n - 1) if n else "") for n in range(20_000)])
    assert rows[-1].depth == 19_999
    assert rows[0].descendants == 19_999


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 14)), max_size=20, unique_by=lambda pair: pair[0])
)
def test_every_span_is_there_once_and_below_its_parent(pairs: list[tuple[int, int]]) -> None:
    rows = rows_of([span(str(one), str(parent)) for one, parent in pairs])
    assert sorted(int(row.span.span_id) for row in rows) == sorted(one for one, _ in pairs)
    for number, row in enumerate(rows):
        inside = rows[number + 1 : number + 1 + row.descendants]
        assert all(other.depth > row.depth for other in inside)
        following = rows[number + 1 + row.descendants :]
        assert not following or following[0].depth <= row.depth
        if row.depth:
            above = next(other for other in reversed(rows[:number]) if other.depth < row.depth)
            assert above.span.span_id == row.span.parent_span_id
