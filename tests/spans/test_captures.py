"""Every recording comes out right in full, from its bytes to its sessions, without a server."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import WindowKey, contribution_of
from spanloom.spans.folding.counters import Counters
from spanloom.spans.folding.session_fold import fold as fold_session
from spanloom.spans.folding.trace.fold import Trace, fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.captures_truth import Capture, captures

PRICES = Prices()

MODELS_WITHOUT_A_PRICE = {"my-own-model"}
"""What the programs asked for that no price table knows."""

UNTOLD_CALLS = {
    # Calls whose usage the SDK does not export: streams, broken off or not, and embeddings (captures/README.md).
    "js-aisdk-stream": 1,
    "js-langfuse": 1,
    "js-oi": 4,
    "js-traceloop": 1,
    # What works in the background states its usage when it is fetched, and OpenTelemetry keeps that for itself.
    "py-otel-google-genai": 1,
    # OpenInference writes no usage of DSPy's calls.
    "py-dspy": 5,
    # Functions around calls, which OpenInference takes for calls of a model.
    "llamaindex": 3,
    "py-openai-agents-traceloop": 3,  # calls by the chat API: of these it reads the question alone
}


def traces_of(capture: Capture) -> dict[str, Trace]:
    decoded = decode([OtlpMessage(value) for value in capture.messages], limits=Limits(), prices=PRICES)
    assert decoded.rejects == []
    version = pa.array(np.ones(decoded.table.num_rows, np.uint64))
    table = decoded.table.append_column("version", version)
    return {key.trace_id.hex(): fold(key, facts) for key, facts in facts_codec.facts_of(table)}


def of_counters(counters: Counters) -> dict[str, Any]:
    """Counters by the names that truths use."""
    by_name = counters._asdict()
    return {
        "spans": by_name["span_count"],
        "llm_calls": by_name["llm_call_count"],
        "errors": by_name["error_count"],
        **{name: count for name, count in by_name.items() if name.endswith("_tokens")},
    }


def told(found: dict[str, Any], truth: dict[str, Any]) -> dict[str, Any]:
    """What was found of all that a truth tells; null is what the telemetry does not hold."""
    return {name: None if truth[name] is None else found[name] for name in truth}


def test_no_two_recordings_have_a_session_in_common() -> None:
    sessions = Counter(session_id for capture in captures() for session_id in capture.truth["sessions"])
    assert [session_id for session_id, times in sessions.items() if times > 1] == []


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_traces_are_true(capture: Capture) -> None:
    traces = traces_of(capture)
    for trace_id, truth in capture.truth["traces"].items():
        trace = traces[trace_id]
        found = {
            "session_id": trace.session_id,
            "root_name": trace.name,
            "start_unix_nano": trace.start_time,
            "end_unix_nano": trace.end_time,
            "input": trace.input,
            "output": trace.output,
            **of_counters(trace.counters),
        }
        assert told(found, truth) == truth


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_every_call_has_its_price(capture: Capture) -> None:
    untold = 0
    for trace in traces_of(capture).values():
        counters = trace.counters
        unknown = MODELS_WITHOUT_A_PRICE.intersection(trace.models)
        untold += counters.unpriced_call_count - len(unknown)
        assert (counters.total_cost > 0) == (counters.input_tokens > 0 and not unknown)
    assert untold == UNTOLD_CALLS.get(capture.name, 0)


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_sessions_are_true(capture: Capture) -> None:
    by_session: dict[str, list[Trace]] = {}
    for trace in traces_of(capture).values():
        by_session.setdefault(trace.session_id, []).append(trace)
    for session_id, truth in capture.truth["sessions"].items():
        window = WindowKey("default", session_id, 0)
        contributions = [contribution_of(trace, window, 1) for trace in by_session.pop(session_id)]
        sums = fold_session(window, contributions)
        assert sums is not None
        found = {
            "traces": sums.trace_count,
            "user_id": sums.user_id or None,
            "tags": list(sums.tags),
            "start_unix_nano": sums.start_time,
            "end_unix_nano": sums.end_time,
            **of_counters(sums.counters),
        }
        assert told(found, truth) == truth
    assert set(by_session) <= {""}
