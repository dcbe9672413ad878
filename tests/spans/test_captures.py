"""Every recording comes out right in full, from its bytes to its sessions, without a server."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import WindowKey, contribution_of, window_start
from spanloom.spans.folding.session_fold import fold as fold_session
from spanloom.spans.folding.trace.fold import Trace, fold
from spanloom.spans.limits import Limits
from spanloom.spans.pricing.prices import Prices
from spanloom.spans.reading.decode import OtlpMessage, decode
from tests.captures_truth import Capture, captures

PRICES = Prices()

MODELS_WITHOUT_A_PRICE = {"my-own-model"}
"""What the programs asked for that no price table knows."""


def traces_of(capture: Capture) -> dict[str, Trace]:
    decoded = decode([OtlpMessage(value) for value in capture.messages], limits=Limits(), prices=PRICES)
    assert decoded.rejects == []
    version = pa.array(np.ones(decoded.table.num_rows, np.uint64))
    table = decoded.table.append_column("version", version)
    return {key.trace_id.hex(): fold(key, facts) for key, facts in facts_codec.facts_of(table)}


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_traces_are_true(capture: Capture) -> None:
    traces = traces_of(capture)
    assert traces.keys() == capture.truth["traces"].keys()
    for trace_id, truth in capture.truth["traces"].items():
        trace = traces[trace_id]
        counters = trace.counters._asdict()
        found = {
            "session_id": trace.session_id,
            "root_name": trace.name,
            "spans": counters["span_count"],
            "llm_calls": counters["llm_call_count"],
            "input_tokens": counters["input_tokens"],
            "output_tokens": counters["output_tokens"],
            "errors": counters["error_count"],
            "start_unix_nano": trace.start_time,
            "end_unix_nano": trace.end_time,
            "input": trace.input if truth["input"] is not None else None,
            "output": trace.output if truth["output"] is not None else None,
        }
        assert found == truth


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_every_call_has_its_price(capture: Capture) -> None:
    for trace in traces_of(capture).values():
        counters = trace.counters._asdict()
        unknown = MODELS_WITHOUT_A_PRICE.intersection(trace.models)
        assert counters["unpriced_call_count"] == len(unknown)
        assert (counters["total_cost"] > 0) == (counters["input_tokens"] > 0 and not unknown)


@pytest.mark.parametrize("capture", captures(), ids=lambda capture: capture.name)
def test_sessions_are_true(capture: Capture) -> None:
    by_session: dict[str, list[Trace]] = {}
    for trace in traces_of(capture).values():
        by_session.setdefault(trace.session_id, []).append(trace)
    assert by_session.keys() == capture.truth["sessions"].keys()
    for session_id, truth in capture.truth["sessions"].items():
        window = WindowKey("default", session_id, window_start(truth["start_unix_nano"], 86400))
        sums = fold_session(window, [contribution_of(trace, window, 1) for trace in by_session[session_id]])
        assert sums is not None
        counters = sums.counters._asdict()
        assert truth == {
            "traces": sums.trace_count,
            "spans": counters["span_count"],
            "llm_calls": counters["llm_call_count"],
            "input_tokens": counters["input_tokens"],
            "output_tokens": counters["output_tokens"],
            "errors": counters["error_count"],
            "user_id": sums.user_id or None,
            "tags": list(sums.tags),
            "start_unix_nano": sums.start_time,
            "end_unix_nano": sums.end_time,
        }
