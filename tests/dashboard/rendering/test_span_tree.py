"""A trace's spans as lines of a tree, whatever their parents claim."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.rendering.span_tree import Line, lines_of
from spanloom.warehouse.queries.answers import TreeSpan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def span(span_id: str, parent: str = "") -> TreeSpan:
    values: dict[str, Any] = dict.fromkeys(TreeSpan.model_fields)
    values |= {"span_id": span_id, "parent_span_id": parent, "start_time": NOW, "end_time": NOW}
    return TreeSpan.model_construct(None, **values)


def values_of(lines: list[Line]) -> list[tuple[str, int, int, bool]]:
    return [(line.span.span_id, line.depth, line.descendants, line.orphan) for line in lines]


def test_parents_come_before_children_and_siblings_in_their_order() -> None:
    spans = [span("a"), span("b", "a"), span("c", "a"), span("d", "b"), span("e")]
    assert values_of(lines_of(spans)) == [
        ("a", 0, 3, False),
        ("b", 1, 1, False),
        ("d", 2, 0, False),
        ("c", 1, 0, False),
        ("e", 0, 0, False),
    ]


def test_a_span_whose_parent_is_missing_stands_at_the_top() -> None:
    assert values_of(lines_of([span("a"), span("b", "x"), span("c", "b")])) == [
        ("a", 0, 0, False),
        ("b", 0, 1, True),
        ("c", 1, 0, False),
    ]


def test_spans_that_are_each_others_parents_are_there_once() -> None:
    values = values_of(lines_of([span("a", "b"), span("b", "a"), span("c", "c")]))
    assert [line[0] for line in values] == ["c", "a", "b"]


def test_a_trace_of_20000_levels_is_a_tree() -> None:
    lines = lines_of([span(str(n), str(n - 1) if n else "") for n in range(20_000)])
    assert lines[-1].depth == 19_999
    assert lines[0].descendants == 19_999


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 14)), max_size=20, unique_by=lambda pair: pair[0])
)
def test_every_span_is_there_once_and_below_its_parent(pairs: list[tuple[int, int]]) -> None:
    lines = lines_of([span(str(one), str(parent)) for one, parent in pairs])
    assert sorted(int(line.span.span_id) for line in lines) == sorted(one for one, _ in pairs)
    for number, line in enumerate(lines):
        inside = lines[number + 1 : number + 1 + line.descendants]
        assert all(other.depth > line.depth for other in inside)
        following = lines[number + 1 + line.descendants :]
        assert not following or following[0].depth <= line.depth
        if line.depth:
            above = next(other for other in reversed(lines[:number]) if other.depth < line.depth)
            assert above.span.span_id == line.span.parent_span_id
