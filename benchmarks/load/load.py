"""A realistic load, the same for the same seed, made a little at a time, and the truth about it.

Sessions of several traces run side by side; each trace is one turn of a conversation with an application, of one of
several kinds (`benchmarks.load.kinds`). Spans come in the order in which exporters send them: each when it ends, so
that the root comes last, and mixed with those of the traces that run at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from random import Random

from benchmarks.load.kinds import KINDS, Kind
from benchmarks.load.texts import Texts
from benchmarks.load.turns import Conversation, LoadSpan

RATE = 10_000
"""How many spans start in a second of the load's own time."""

_OPEN_SESSIONS = 50  # sessions that take turns
_TURNS = (1, 9)  # traces of a session
_USERS = 40
_WITHOUT_SESSION = 0.03  # part of the conversations that no span gives a session ID for


@dataclass(slots=True)
class Totals:
    """What is true of a session, or of all; `cost` in picodollars."""

    traces: int = 0
    spans: int = 0
    llm_calls: int = 0
    tool_calls: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0

    def add(self, other: Totals) -> None:
        """Add up."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass(slots=True)
class Truth:
    """What must be true once everything has been worked on: by session, and of all traces."""

    sessions: dict[str, Totals] = field(default_factory=dict)
    all: Totals = field(default_factory=Totals)

    def add(self, session_id: str, trace: Totals) -> None:
        """Note a trace; `session_id` is empty where it has none."""
        self.all.add(trace)
        if session_id:
            self.sessions.setdefault(session_id, Totals()).add(trace)

    def in_sessions(self) -> Totals:
        """The sum over all sessions."""
        total = Totals()
        for session in self.sessions.values():
            total.add(session)
        return total


class Load:
    """A load of `spans` spans, rounded up to whole traces.

    Args:
        start: when the first trace starts, nanoseconds since the epoch.
        seed: the same seed makes the same load.
        rate: spans that start in a second of the load's own time.
        name: the beginning of session IDs, to keep loads apart.
        kind: what its traces are.
    """

    def __init__(
        self,
        spans: int,
        *,
        start: int,
        seed: int = 1,
        rate: int = RATE,
        name: str = "s",
        kind: Kind = KINDS["chat"],
    ) -> None:
        self.traces = -(-spans // kind.spans)
        self.truth = Truth()
        """Complete once `spans` has been read to its end."""
        self._random = Random(seed)
        self._kind = kind
        self._texts = Texts(self._random, fresh=kind.fresh_texts)
        self._start = start
        self._step = 1_000_000_000 * kind.spans // rate
        self._name = name

    def spans(self) -> Iterator[LoadSpan]:
        """Every span once, in the order in which they are exported. Can be read once."""
        random = self._random
        running: list[list[LoadSpan]] = []  # of each open trace the spans still to come, the next one last
        for trace in self._traces():
            running.append(trace)
            while len(running) >= self._kind.open_traces:
                yield from _some(running, random)
        while running:
            yield from _some(running, random)

    def _traces(self) -> Iterator[list[LoadSpan]]:
        random = self._random
        conversations: list[Conversation] = []
        opened = 0
        for number in range(self.traces):
            while len(conversations) < min(_OPEN_SESSIONS, self.traces):
                session_id = "" if random.random() < _WITHOUT_SESSION else f"{self._name}-{opened:08d}"
                turns = random.randint(*_TURNS)
                conversations.append(Conversation(random, session_id, turns, random.randrange(_USERS)))
                opened += 1
            conversation = random.choice(conversations)
            start = self._start + number * self._step
            spans, usage = self._kind.turn(conversation, random, self._texts, start)
            self.truth.add(
                conversation.session_id,
                Totals(
                    traces=1,
                    spans=len(spans),
                    llm_calls=usage.llm_calls,
                    tool_calls=usage.tool_calls,
                    errors=usage.errors,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cost=usage.cost,
                ),
            )
            conversation.turns -= 1
            if not conversation.turns:
                conversations.remove(conversation)
            yield sorted(spans, key=lambda span: span.end_time, reverse=True)


def _some(running: list[list[LoadSpan]], random: Random) -> Iterator[LoadSpan]:
    """The next few spans of one of the running traces."""
    position = random.randrange(len(running))
    trace = running[position]
    for _ in range(min(random.randint(1, 4), len(trace))):
        yield trace.pop()
    if not trace:
        del running[position]
