"""Facts for tests, by hand and by hypothesis."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import strategies as st

from spanloom.spans.folding.contribution import INPUT_START
from spanloom.spans.folding.facts import Fact, SpanLabels, SpanTexts, TraceKey
from spanloom.spans.table import INPUT_IS_MESSAGE, OUTPUT_IS_MESSAGE, SPAN_TYPES, STATUSES

KEY = TraceKey("default", bytes(range(16)))
SECOND = 1_000_000_000
LLM = SPAN_TYPES.index("LLM")
TOOL = SPAN_TYPES.index("TOOL")
CHAIN = SPAN_TYPES.index("CHAIN")
EMBEDDING = SPAN_TYPES.index("EMBEDDING")
START = 1_795_000_000 * SECOND


def fact(span_id: int, parent: int = 0, **fields: Any) -> Fact:
    """A span that starts `span_id` seconds after START and takes one second, unless `fields` differ."""
    values: dict[str, Any] = {
        "parent_span_id": parent,
        "name": f"span {span_id}",
        "service_name": "shop",
        "start_time": START + span_id * SECOND,
        "duration": SECOND,
        "version": 1,
    }
    return Fact(span_id, **{**values, **fields})


def call(span_id: int, parent: int = 0, asked: str = "", answered: str = "", **fields: Any) -> Fact:
    """An LLM span that used 10 input and 5 output tokens, unless `fields` differ."""
    kind = (INPUT_IS_MESSAGE if asked else 0) | (OUTPUT_IS_MESSAGE if answered else 0)
    values: dict[str, Any] = {
        "span_type": LLM,
        "model": "gpt-5",
        "input_tokens": 10,
        "output_tokens": 5,
        "input_cost": 100,
        "output_cost": 200,
        "total_cost": 300,
        "priced": True,
        "input_preview": asked,
        "output_preview": answered,
        "marks": kind,
    }
    return fact(span_id, parent, **{**values, **fields})


_NAMES = st.sampled_from(["", "a", "b", "ü", "🙏"])
_AMOUNTS = st.one_of(st.just(0), st.integers(0, 10**6))


@st.composite
def facts(draw: st.DrawFn, span_id: int, span_ids: list[int]) -> Fact:
    """Any fact with this span ID, whose parent may be none, another span, itself or one that never comes."""
    session_key = draw(st.integers(0, 7))
    user_key = draw(st.integers(0, 3))
    labels = draw(
        st.none()
        | st.builds(
            SpanLabels,
            st.lists(st.sampled_from("xyz"), unique=True).map(lambda tags: tuple(sorted(tags))),
            st.dictionaries(st.sampled_from("kl"), _NAMES).map(lambda pairs: tuple(sorted(pairs.items()))),
        )
    )
    if labels == SpanLabels((), ()):
        labels = None
    return Fact(
        span_id=span_id,
        parent_span_id=draw(st.sampled_from([0, *span_ids, 2**64 - 1])),
        name=draw(_NAMES),
        service_name=draw(_NAMES),
        span_type=draw(st.integers(0, len(SPAN_TYPES) - 1)),
        status=draw(st.integers(0, len(STATUSES) - 1)),
        start_time=START + draw(st.integers(0, 3)) * 1800 * SECOND,
        duration=draw(st.integers(0, 10**10)),
        session_id=draw(st.sampled_from(["s1", "s2", "s3"])) if session_key else "",
        session_key=session_key,
        user_id=draw(st.sampled_from(["u1", "u2"])) if user_key else "",
        user_key=user_key,
        model=draw(st.sampled_from(["", "m1", "m2"])),
        input_tokens=draw(_AMOUNTS),
        output_tokens=draw(_AMOUNTS),
        cache_read_tokens=draw(_AMOUNTS),
        cache_write_tokens=draw(_AMOUNTS),
        reasoning_tokens=draw(_AMOUNTS),
        input_cost=draw(_AMOUNTS),
        output_cost=draw(_AMOUNTS),
        total_cost=draw(_AMOUNTS),
        priced=draw(st.booleans()),
        input_preview=draw(_NAMES),
        output_preview=draw(_NAMES),
        marks=draw(st.integers(0, 511)),
        unsplit_tokens=draw(st.sampled_from([0, 0, 7])),
        scope=draw(_NAMES),
        response_id=draw(st.sampled_from(["", "", "m1", "m2"])),
        trace_name=draw(st.sampled_from(["", "", "turn"])),
        environment=draw(st.sampled_from(["", "prod", "dev"])),
        release=draw(st.sampled_from(["", "1.0"])),
        version=draw(st.integers(1, 2**60)),
        labels=labels,
        inside=draw(st.none() | st.builds(SpanTexts, st.just(("a b", "c")), st.sampled_from([(), ("d e",)]))),
    )


@st.composite
def traces(draw: st.DrawFn, max_spans: int = 8) -> list[Fact]:
    """The facts of one trace, each span once, in any shape: trees, several roots, missing parents, circles."""
    span_ids = draw(st.lists(st.integers(1, 2**64 - 2), min_size=1, max_size=max_spans, unique=True))
    return [draw(facts(span_id, span_ids)) for span_id in span_ids]


def read_back(rows: pa.Table) -> pa.Table:
    """Rows of traces as ClickHouse gives them to `contributions_of`."""
    return rows.append_column("input_start", pc.utf8_slice_codeunits(rows["input"], 0, INPUT_START))
