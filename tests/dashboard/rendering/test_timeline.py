"""The timeline is to scale, but for long gaps; bars of one lane do not overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spanloom.dashboard.rendering.timeline import lay_out
from spanloom.warehouse.queries.answers import TimelineStretch, TimelineTrace

START = datetime(2026, 1, 1, tzinfo=UTC)


def trace(number: int, at: float, seconds: float, *spans: tuple[str, float, float]) -> TimelineTrace:
    start = START + timedelta(seconds=at)
    return TimelineTrace(
        number=number,
        trace_id=f"{number:032x}",
        name="turn",
        start_time=start,
        end_time=start + timedelta(seconds=seconds),
        status="ok",
        failure_count=0,
        llm_call_count=1,
        tool_call_count=0,
        stretches=[
            TimelineStretch(
                name=kind,
                kind=kind,
                span_count=1,
                start_time=start + timedelta(seconds=begin),
                end_time=start + timedelta(seconds=end),
            )
            for kind, begin, end in spans
        ],
    )


def test_an_empty_session_is_an_empty_drawing() -> None:
    assert lay_out([]).bars == []


def test_traces_stand_to_scale() -> None:
    drawing = lay_out([trace(1, 0, 100), trace(2, 300, 100)])
    assert [(round(bar.left), round(bar.width)) for bar in drawing.bars] == [(0, 25), (75, 25)]
    assert (drawing.gaps, drawing.lanes) == ([], 1)


def test_a_gap_over_30_minutes_is_collapsed_and_marked() -> None:
    drawing = lay_out([trace(1, 0, 60), trace(2, 60 + 1801, 60), trace(3, 1921 + 1800, 60)])
    [gap] = drawing.gaps
    assert gap.seconds == 1801
    assert gap.width == 3
    first, second, _ = drawing.bars
    assert first.width == second.width
    assert second.left == gap.left + gap.width
    assert [(part.start, part.left, part.width) for part in drawing.busy] == [
        (START, 0, first.width),
        (START + timedelta(seconds=1861), second.left, 100 - second.left),
    ]


def test_traces_at_the_same_time_stand_in_lanes_of_their_own() -> None:
    drawing = lay_out([trace(1, 0, 100), trace(2, 10, 20), trace(3, 50, 20), trace(4, 200, 10)])
    assert [bar.lane for bar in drawing.bars] == [0, 1, 1, 0]


def test_every_stretch_of_a_trace_stands_where_it_ran() -> None:
    [bar] = lay_out([trace(1, 0, 100, ("llm", 0, 100), ("tool", 20, 40), ("error", 30, 50))]).bars
    assert [(part.shown.kind, round(part.left), round(part.width)) for part in bar.stretches] == [
        ("llm", 0, 100),
        ("tool", 20, 20),
        ("error", 30, 20),
    ]


def test_what_ran_outside_its_trace_stands_at_its_edge() -> None:
    [bar] = lay_out([trace(1, 0, 100, ("llm", -10, 10), ("llm", 90, 120), ("tool", 130, 140))]).bars
    assert [(part.left, part.width) for part in bar.stretches] == [(0, 10), (90, 10), (100, 0)]


def test_a_number_is_shown_where_it_has_room() -> None:
    drawing = lay_out([trace(1, 0, 1), trace(2, 1, 98), trace(3, 99, 1)])
    assert [(round(bar.room, 1), bar.numbered) for bar in drawing.bars] == [
        (1, False),
        (98, True),
        (2.6, True),
    ]


def test_traces_without_a_length_are_there() -> None:
    drawing = lay_out([trace(1, 0, 0, ("llm", 0, 0)), trace(2, 0, 0), trace(3, 9000, 0)])
    assert [len(bar.stretches) for bar in drawing.bars] == [1, 0, 0]
    assert drawing.bars[2].left > drawing.bars[0].left


@given(
    st.lists(
        st.tuples(st.floats(0, 1e6, allow_nan=False), st.floats(0, 1e4, allow_nan=False)),
        min_size=1,
        max_size=30,
    )
)
def test_every_bar_lies_within_the_drawing_and_beside_the_others(pairs: list[tuple[float, float]]) -> None:
    drawing = lay_out([trace(n, at, long, ("llm", 0, long)) for n, (at, long) in enumerate(sorted(pairs), 1)])
    ends: dict[int, float] = {}
    for bar in drawing.bars:
        assert -1e-6 <= bar.left <= 100 + 1e-6
        assert bar.left + bar.width <= 100 + 1e-6
        assert ends.get(bar.lane, 0) <= bar.left + 1e-6
        ends[bar.lane] = bar.left + bar.width
        [part] = bar.stretches
        assert (part.left, part.width) == (0, 100 if bar.trace.end_time > bar.trace.start_time else 0)
    for one, other in zip(drawing.gaps, drawing.gaps[1:], strict=False):
        assert one.left + one.width <= other.left + 1e-6
