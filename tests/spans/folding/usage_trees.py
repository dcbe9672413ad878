"""Traces in which wrappers repeat the usage of the calls below them, and what the calls alone come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from spanloom.spans.folding.facts import Fact
from spanloom.spans.table import SPAN_TYPES
from tests.spans.examples import EMBEDDING, LLM, TOOL, fact

_AMOUNTS = (
    *("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
    *("input_cost", "output_cost", "total_cost"),
)
_NOTHING = dict.fromkeys(_AMOUNTS, 0)
_ERROR = 2
_NO_CALL = [
    SPAN_TYPES.index(name) for name in ("DEFAULT", "TOOL", "CHAIN", "RETRIEVER", "GUARDRAIL", "AGENT")
]
_NEVER_COMES = 10**6

amounts = st.fixed_dictionaries({name: st.integers(0, 1000) for name in _AMOUNTS})
some_amounts = amounts.filter(lambda drawn: any(drawn.values()))


@dataclass(frozen=True)
class UsageTree:
    """The spans of a trace, and the sums of its calls by the name of the counter."""

    facts: list[Fact]
    totals: Mapping[str, int]


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """A call: of a model, streamed and failed ones included; an embedding, a reranking, a tool that costs."""
    kind = draw(st.sampled_from(["call", "streamed", "failed", "embedding", "reranker", "tool", "unknown"]))
    match kind:
        case "call":
            return {"span_type": LLM, "priced": draw(st.booleans()), **draw(amounts)}
        case "streamed":
            return {"span_type": LLM, **_NOTHING}
        case "failed":
            return {"span_type": LLM, "status": _ERROR, **_NOTHING}
        case "embedding":
            return {"span_type": EMBEDDING, **draw(amounts)}
        case "reranker":
            return {"span_type": SPAN_TYPES.index("RERANKER"), **draw(some_amounts)}
        case "tool":
            return {"span_type": TOOL, **draw(some_amounts)}
        case _:
            return {"span_type": 0, **draw(some_amounts)}


@st.composite
def usage_trees(draw: st.DrawFn, max_spans: int = 14) -> UsageTree:
    """Any tree (or several, or one whose root never comes) of calls, wrappers and what bears no usage."""
    size = draw(st.integers(1, max_spans))
    parents = {span: draw(st.integers(0, span - 1)) for span in range(1, size + 1)}
    below: dict[int, dict[str, int]] = {}  # of each span that has calls below it what they come to
    found: list[dict[str, Any]] = []
    facts: list[Fact] = []
    for span in range(size, 0, -1):  # children have the greater numbers
        if span in below:
            fields = {"span_type": draw(st.sampled_from([LLM, EMBEDDING, *_NO_CALL]))}
            fields |= draw(_repeated(below[span]))
            used = below[span]
        elif draw(st.booleans()):
            fields = draw(calls())
            found.append(fields)
            used = {name: fields[name] for name in _AMOUNTS}
        else:
            fields, used = {"span_type": draw(st.sampled_from(_NO_CALL))}, {}
        parent = parents[span]
        if used and parent:
            sums = below.setdefault(parent, dict(_NOTHING))
            for name in _AMOUNTS:
                sums[name] += used[name]
        facts.append(fact(span, parent or draw(st.sampled_from([0, _NEVER_COMES])), **fields))
    totals = {name: sum(call[name] for call in found) for name in _AMOUNTS}
    totals["llm_call_count"] = sum(call["span_type"] == LLM for call in found)
    totals["unpriced_call_count"] = sum(
        not call.get("priced", False) and bool(call["input_tokens"] or call["output_tokens"])
        for call in found
    )
    totals["span_count"] = size
    return UsageTree(facts, totals)


def _repeated(below: Mapping[str, int]) -> st.SearchStrategy[dict[str, int]]:
    """What a wrapper may say of the calls below it: nothing, their sum, a part of it, or something else."""
    return st.one_of(
        st.just(dict(_NOTHING)),
        st.just(dict(below)),
        st.sets(st.sampled_from(_AMOUNTS)).map(lambda names: {name: below[name] for name in names}),
        st.integers(0, 3).map(lambda parts: {name: total * parts // 4 for name, total in below.items()}),
        amounts,
    )
