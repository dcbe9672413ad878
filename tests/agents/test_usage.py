"""Usage counts once, whatever comes first: wrappers before their calls or after, in any batches, again and again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spanloom.agents.state.traces import TracePartition
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.contribution import WindowKey
from spanloom.spans.folding.facts import Fact
from spanloom.spans.folding.trace.fold import Trace
from tests.spans.examples import KEY, START
from tests.spans.folding.plain_usage import totals, trees

NOW = START // 1_000_000


@given(trees(), st.data())
def test_the_last_row_has_the_total_of_the_calls(tree: list[Fact], data: st.DataObject) -> None:
    facts = [fact._replace(version=1) for fact in tree]
    again = data.draw(st.lists(st.sampled_from(facts), max_size=4))
    arriving = data.draw(st.permutations(facts + again))
    state = TracePartition(3600, 3_600_000, NOW - 1)
    rows: dict[WindowKey, Trace | None] = {}
    offset = 0
    while arriving:
        # A batch of a few records, each with a few spans.
        for _ in range(data.draw(st.integers(1, 3))):
            size = data.draw(st.integers(1, 4))
            some, arriving = arriving[:size], arriving[size:]
            if some:
                record = [(KEY, some)]
                state.apply(record, facts_codec.encode_traces(dict(record)), NOW + offset, offset)
                offset += 1
        for row in state.collect().rows:
            rows[row.place] = row.trace
    [trace] = [trace for trace in rows.values() if trace]
    assert {name: getattr(trace.counters, name) for name in totals(tree)} == totals(tree)
