"""What holds whatever is sent: nothing comes out of spans/ but rows, rejects and records of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from spanloom.spans.folding import contribution as contribution_codec
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import (
    Contribution,
    WindowKey,
    contribution_of,
    window_start,
    withdrawn,
)
from spanloom.spans.folding.counters import NOTHING
from spanloom.spans.folding.facts import Fact, TraceKey
from spanloom.spans.folding.rows import TraceRow, WindowRow, contributions_of, trace_table, window_table
from spanloom.spans.folding.session_fold import fold as fold_session
from spanloom.spans.folding.trace.fold import fold as fold_trace
from spanloom.spans.limits import ASSUMED, TRUNCATED, Limits
from spanloom.spans.reading.messages import Decoded
from spanloom.spans.text.ids import LONGEST_ID
from tests.spans.examples import read_back
from tests.spans.reading.columns.two_ways import same

KAFKA_LIMIT = 1_048_588
"""The largest record that Kafka takes by default, bytes."""

_LIMITS = Limits()
_WINDOW = 3600

_GROWTH = 32
"""What a byte may become at most in the table: a NUL in a text is six characters in JSON, which a flattened message
escapes once more, and the same text stands in `attributes`, `input`, `metadata` and a preview."""

_ROW = 1024
"""What a row may take on top, bytes: numbers, IDs, offsets, `spanloom.truncated`."""


def holds(*values: bytes, limits: Limits = _LIMITS) -> Decoded:
    """Send messages through all of spans/ and assert the law; returns what they were decoded to."""
    decoded = same(values, limits)
    _nothing_was_swallowed(decoded)
    _sizes_are_bounded(decoded, values, limits)
    facts = _facts_travel(decoded.table)
    contributions = [_trace_folds(key, some, number) for number, (key, some) in enumerate(facts.items(), 1)]
    _sessions_fold(contributions)
    return decoded


def _nothing_was_swallowed(decoded: Decoded) -> None:
    """`decode` makes a reject of an exception, so that it costs one span only; but there should be none."""
    for reject in decoded.rejects:
        assert "could not be read (" not in reject.reason, reject.reason
        assert reject.reason.endswith(".")


def _sizes_are_bounded(decoded: Decoded, values: Sequence[bytes], limits: Limits) -> None:
    table = decoded.table
    table.validate(full=True)
    assert table.num_rows == len(decoded.message)
    sent = sum(map(len, values))
    rows = table.num_rows
    resources = sum(min(rows * limits.resource, 1 << 24) for _ in values) * 2
    assert table.nbytes <= _GROWTH * sent + _ROW * rows + resources + 4096
    assert sum(len(reject.payload) for reject in decoded.rejects) <= 3 * sent + len(values) * (1 << 20)
    for name, most in (
        *((name, limits.name) for name in ("name", "model", "status_message")),
        *((name, LONGEST_ID) for name in ("session_id", "user_id")),
        *((name, limits.text) for name in ("input", "output")),
        *((name, 4096) for name in ("input_preview", "output_preview")),
    ):
        assert max(map(len, table[name].to_pylist()), default=0) <= most, name
    for row in table.select(["attributes", "tags", "metadata"]).to_pylist():
        assert len(row["attributes"]) <= limits.attributes + 2
        assert all(
            len(text) <= limits.value for key, text in row["attributes"] if key not in (TRUNCATED, ASSUMED)
        )
        for name in ("attributes", "metadata"):
            assert len({key for key, _ in row[name]}) == len(row[name]), "a key stands twice"
        assert max(len(row["tags"]), len(row["metadata"])) <= limits.labels
    events = table["events"].combine_chunks()
    assert _longest(events) <= limits.events
    assert _longest(events.values.field("attributes")) <= limits.event_attributes


def _longest(lists: pa.Array) -> int:
    """The most items of a list or map."""
    return int(np.diff(lists.offsets.to_numpy()).max(initial=0))


def _facts_travel(table: pa.Table) -> dict[TraceKey, list[Fact]]:
    """The facts of each trace, each span once."""
    versions = pa.array(range(1, len(table) + 1), pa.uint64())
    found: dict[TraceKey, dict[int, Fact]] = {}
    count = 0
    for partition, message in facts_codec.encode_table(table.append_column("version", versions), 3):
        assert len(message) < KAFKA_LIMIT
        for key, facts in facts_codec.decode(message):
            assert facts_codec.partition_of(key, 3) == partition
            count += len(facts)
            found.setdefault(key, {}).update({fact.span_id: fact for fact in facts})
    assert count == table.num_rows
    return {key: list(facts.values()) for key, facts in found.items()}


def _trace_folds(key: TraceKey, facts: list[Fact], number: int) -> Contribution:
    kept = facts_codec.encode_trace(key, facts)
    assert max(map(len, kept)) < KAFKA_LIMIT
    assert [fact for message in kept for _, some in facts_codec.decode(message) for fact in some] == facts
    trace = fold_trace(key, facts)
    assert fold_trace(key, facts[::-1]) == trace
    assert trace.counters.span_count == len(facts)
    window = WindowKey(key.project_id, trace.session_id, window_start(trace.start_time, _WINDOW))
    contribution = contribution_of(trace, window, number)
    rows = trace_table([TraceRow(key, window, number, trace), TraceRow(key, window, number, None)])
    rows.validate(full=True)
    [stored] = contributions_of(read_back(rows.slice(0, 1)))
    assert stored._replace(counters=NOTHING) == contribution._replace(counters=NOTHING)
    return contribution


def _sessions_fold(contributions: list[Contribution]) -> None:
    sent = [*contributions, *(withdrawn(TraceKey("", one.trace_id), one.window, 9) for one in contributions)]
    messages = list(contribution_codec.encode(sent))
    assert max(map(len, messages), default=0) < KAFKA_LIMIT
    assert [one for message in messages for one in contribution_codec.decode(message)] == sent
    for window in sorted({one.window for one in contributions}):
        sums = fold_session(window, [one for one in contributions if one.window == window])
        assert sums is not None
        assert sums.start_time <= sums.end_time
        assert all(a < b for a, b in pairwise(sums.tags))
        window_table([WindowRow(window, 1, sums), WindowRow(window, 2, None)]).validate(full=True)
