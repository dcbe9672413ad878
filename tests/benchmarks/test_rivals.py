"""The folds of the Quix Streams application: right, also where it counts what comes twice once."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.load.encode import messages
from benchmarks.load.load import Load, Totals
from benchmarks.rivals.folds import SessionFold, TraceFold

START = 1_780_000_000_000_000_000  # nanoseconds since the epoch
COUNTED = [name for name in Totals.__dataclass_fields__ if name != "cost"]


class KeptState:
    """State as Quix keeps it: every value packed as JSON."""

    def __init__(self) -> None:
        self._packed: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self._packed[key]) if key in self._packed else default

    def set(self, key: str, value: Any) -> None:
        self._packed[key] = json.dumps(value)


def folded(values: Sequence[bytes], exact: bool) -> dict[str, Any]:
    """The last row of each session."""
    traces, sessions = TraceFold(exact), SessionFold(exact)
    states: defaultdict[tuple[str, str], KeptState] = defaultdict(KeptState)
    found = {}
    for value in values:
        for facts in traces.read_message(ExportTraceServiceRequest.FromString(value)).facts:
            trace = traces.fold(facts, states["trace", facts["trace_id"]])
            if turn := trace["turn"]:
                found[turn["session_id"]] = sessions.fold(turn, states["session", turn["session_id"]])
    return found


def shown(sessions: dict[str, Any]) -> dict[str, list[int]]:
    return {key: [session[name] for name in COUNTED] for key, session in sessions.items()}


@pytest.fixture(scope="module")
def load() -> tuple[list[bytes], dict[str, list[int]]]:
    made = Load(600, start=START)
    values = list(messages(made.spans(), 20))
    truth = {key: [getattr(totals, name) for name in COUNTED] for key, totals in made.truth.sessions.items()}
    return values, truth


@pytest.mark.parametrize("exact", [True, False], ids=["sets", "sums"])
def test_sessions_are_right_when_every_span_comes_once(
    load: tuple[list[bytes], dict[str, list[int]]], exact: bool
) -> None:
    values, truth = load
    assert shown(folded(values, exact)) == truth


def test_sets_count_what_comes_twice_once(load: tuple[list[bytes], dict[str, list[int]]]) -> None:
    values, truth = load
    assert shown(folded([*values, *values], exact=True)) == truth


def test_sums_count_what_comes_twice_twice(load: tuple[list[bytes], dict[str, list[int]]]) -> None:
    values, truth = load
    found = shown(folded([*values, *values], exact=False))
    # All but the number of traces, which the trace itself keeps.
    assert {key: one[1:] for key, one in found.items()} == {
        key: [2 * number for number in one[1:]] for key, one in truth.items()
    }
