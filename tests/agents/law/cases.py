"""What happens to a worker: messages of a few traces, and steps with crashes, drawn by hypothesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from spanloom.agents.state.trace.pace import Pace
from tests.agents.law.simulation import EVERY_BATCH, STAGES, Event, Forget, Step
from tests.integration.otlp import llm, message, span

HOUR = 3_600_000
MINUTE = 60_000
START = 1_795_000_000_000 // HOUR * HOUR - MINUTE
"""When the first span may start, ms: a minute before a window ends."""


SLOW = Pace(few=0, growth=2.0, seconds_a_span=4.0)
"""Rows of traces of two spans are put off already."""

AHEAD = (25 * MINUTE, 2 * HOUR)
"""How far an application's clock may be fast."""

BEHIND = 130 * MINUTE
"""How slow a Collector's clock may be, until it is set."""

Spans = Sequence[tuple[int, int]]
"""Trace and number of some spans."""


@dataclass(frozen=True)
class Message:
    """A message of the source topic."""

    spans: tuple[tuple[int, int], ...]
    """Trace and number of each span in it."""
    timestamp: int
    partition: int


@dataclass(frozen=True)
class SpanOf:
    """What a span says."""

    parent: int
    start: int
    """ms after START."""
    session: str
    key: str
    calls: bool


@dataclass(frozen=True)
class Case:
    """All that is drawn."""

    began: int
    served: bool
    partitions: int
    spans: dict[tuple[int, int], SpanOf]
    messages: tuple[Message, ...]
    steps: tuple[Step | Forget | Event, ...]
    pace: Pace = EVERY_BATCH

    def payload(self, number: int) -> bytes:
        """Return a message as OTLP."""
        found = []
        for trace, span_id in self.messages[number].spans:
            one = self.spans[trace, span_id]
            start = (START + one.start) * 1_000_000
            attributes: dict[str, Any] = {one.key: one.session} if one.session else {}
            make = llm if one.calls else span
            found.append(make(trace, span_id, one.parent, start=start, **attributes))
        return message(*found)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Some traces, whose spans come in any order, some again, some hours later; and what happens meanwhile."""
    spans: dict[tuple[int, int], SpanOf] = {}
    goes_on_late = draw(st.integers(0, 3)) == 0
    for trace in range(1, draw(st.integers(1 + goes_on_late, 3)) + 1):
        for number in range(1, draw(st.integers(1 + 2 * goes_on_late, 4)) + 1):
            spans[trace, number] = SpanOf(
                parent=0 if number == 1 else draw(st.sampled_from([1, 1, number - 1, 9])),
                start=draw(st.sampled_from([0, 0, 0, 2 * MINUTE, *AHEAD])) + number,
                session=draw(st.sampled_from(["", "s", "s", "t"])),
                key=draw(st.sampled_from(["session__id", "gen_ai__conversation__id"])),
                calls=draw(st.booleans()),
            )
    order = draw(st.permutations([*spans, *draw(st.lists(st.sampled_from(sorted(spans)), max_size=3))]))
    groups = _goes_on_late(order) if goes_on_late else _mixed(draw, order)
    messages: list[Message] = []
    now = START + 3 * MINUTE + draw(st.sampled_from([0, 0, 0, 4 * HOUR, -BEHIND]))
    for some, pause in groups:
        now += pause
        messages.append(Message(tuple(some), now, draw(st.sampled_from([0, 0, 1]))))
    if goes_on_late:
        turns = ["ingest", "ingest", *["traces"] * draw(st.integers(3, 6)), "sessions", "sessions"]
    else:
        # The stages take turns; one that is left out falls behind.
        turns = [stage for _ in range(draw(st.integers(2, 6))) for stage in STAGES if draw(st.integers(0, 3))]
    steps: list[Step | Forget] = [draw(_steps(stage)) for stage in turns]
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        steps.insert(draw(st.integers(0, len(steps))), draw(_forgets(spans, messages)))
    served = draw(st.sampled_from([True, True, True, False]))
    began = START - 24 * HOUR if served else START + draw(st.sampled_from([-24 * HOUR, HOUR]))
    pace = draw(st.sampled_from([EVERY_BATCH, SLOW]))
    return Case(began, served, 1 if goes_on_late else 2, spans, tuple(messages), tuple(steps), pace)


def _mixed(draw: st.DrawFn, order: Spans) -> list[tuple[Spans, int]]:
    """Messages in any order, each with the pause before it, ms."""
    groups: list[tuple[Spans, int]] = []
    while order:
        count = draw(st.integers(1, 3))
        groups.append((order[:count], draw(st.sampled_from([0, 1, 1, MINUTE, HOUR + 1, BEHIND, 3 * HOUR]))))
        order = order[count:]
    return groups


def _goes_on_late(order: Spans) -> list[tuple[Spans, int]]:
    """A trace of which all but one span come, then others hours later, by which it is forgotten, then its last one."""
    last = order[0]
    first = [one for one in order if one[0] == last[0] and one != last]
    others = [one for one in order if one[0] != last[0]]
    pauses = [0] * len(first) + [3 * HOUR] + [1] * len(others)
    return [([one], pause) for one, pause in zip([*first, *others, last], pauses, strict=True)]


def _forgets(
    spans: Mapping[tuple[int, int], SpanOf], messages: Sequence[Message]
) -> st.SearchStrategy[Forget]:
    """A trace is forgotten up to the time of a message, or for some hours to come."""
    times = {message.timestamp for message in messages}
    return st.builds(
        Forget,
        trace=st.sampled_from(sorted({trace for trace, _ in spans})),
        until=st.sampled_from(sorted(times | {max(times) + 2 * HOUR})),
    )


_PLACES = st.sampled_from(["rows", "messages", "changelog", "changelog", "source"])


@st.composite
def _steps(draw: st.DrawFn, stage: str) -> Step:
    return Step(
        stage=stage,
        size=draw(st.sampled_from([1, 1, 2, 5, 0])),
        crash=draw(st.none() | st.none() | st.tuples(_PLACES, st.sampled_from([0, 0, 1, 2, 2, 3]))),
        lost=draw(st.sampled_from([False] * 7 + [True])),
        compact=draw(st.booleans()),
    )
