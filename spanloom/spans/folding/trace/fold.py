"""The trace fold: a trace's row and its contribution are a pure function of the set of its spans' facts.

The rules are those of `docs/conventions.md`: how a trace finds its session, which
spans count, and what its input and output are. Nothing here depends on the order in which facts arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter

from spanloom.spans.conventions.key_order import BUILT_IN, Identity, KeyOrder
from spanloom.spans.folding.counters import Counters, count
from spanloom.spans.folding.fact import Fact, TraceKey
from spanloom.spans.folding.trace.calls import LLM, calls_of
from spanloom.spans.folding.trace.exceptions import Exceptions, exceptions
from spanloom.spans.folding.trace.tree import NO_PARENT, Tree
from spanloom.spans.folding.trace.usage import counted
from spanloom.spans.folding.trace.words import words_of
from spanloom.spans.table import IS_CONTROL_FLOW, NO_START, STATUSES

MAX_LISTED = 1000
"""The most tags, metadata keys, models or services (or a session's users) that one trace or session lists."""

MAX_LISTED_CHARACTERS = 16_384
"""The most characters of each of these lists: a contribution must fit into a record."""

_ERROR = STATUSES.index("error")

_TRACE_NAME = attrgetter("trace_name")
_ENVIRONMENT = attrgetter("environment")
_RELEASE = attrgetter("release")


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace's row: the fields are columns of `traces_versions` (`rows`). Times are nanoseconds since the epoch."""

    key: TraceKey
    session_id: str
    name: str
    user_id: str
    tags: tuple[str, ...]
    metadata: Mapping[str, str]
    services: tuple[str, ...]
    environment: str
    release: str
    start_time: int
    end_time: int
    status: str
    counters: Counters
    models: tuple[str, ...]
    input: str
    output: str
    root_span_id: int
    exceptions: Exceptions


def fold(key: TraceKey, facts: Collection[Fact], identity: Identity = BUILT_IN) -> Trace:
    """Fold the facts of one trace, at least one, each span once; `identity` decides on its session and user."""
    tree = Tree(facts)
    spans = tree.spans
    at_top = root_of(tree)
    root = spans[at_top]
    calls = calls_of(tree)
    usage = counted(tree, calls)
    asked, answered = words_of(tree, calls, at_top)
    # A span whose start nobody knows says nothing about when the trace took place.
    timed = [fact for fact in spans if not fact.marks & NO_START] or spans
    return Trace(
        key=key,
        session_id=_named([(fact.session_key, fact.session_id) for fact in spans], identity.sessions),
        name=_first(map(_TRACE_NAME, spans)) or root.name,
        user_id=_named([(fact.user_key, fact.user_id) for fact in spans], identity.users),
        tags=union(tag for fact in spans if fact.labels for tag in fact.labels.tags),
        metadata=_metadata(spans),
        services=union(fact.service_name for fact in spans),
        environment=_first(map(_ENVIRONMENT, spans)),
        release=_first(map(_RELEASE, spans)),
        start_time=timed[0].start_time,
        end_time=max(fact.start_time + fact.duration for fact in timed),
        status=STATUSES[root.status],
        counters=count(
            spans,
            tokens=usage.tokens,
            cost=usage.cost,
            llm_calls=sum(spans[at].span_type == LLM for at in calls),
            failures=_failures(tree),
            unpriced=len(usage.unpriced),
        ),
        models=union(fact.model for fact in (*usage.tokens, *usage.cost, *(spans[at] for at in calls))),
        input=asked,
        output=answered,
        root_span_id=root.span_id,
        exceptions=exceptions(spans, usage),
    )


def root_of(tree: Tree) -> int:
    """The span without a parent; while it has not arrived, the earliest one whose parent is unknown. Of a circle of
    parents it is the earliest span."""
    tops = [at for at, above in enumerate(tree.parent) if above == NO_PARENT]
    for at in tops:
        fact = tree.spans[at]
        if fact.parent_span_id in (0, fact.span_id):
            return at
    return tops[0]


def _failures(tree: Tree) -> int:
    """How many spans failed by themselves: not because one below did, nor because a framework went on elsewhere."""
    failed = [fact.status == _ERROR and not fact.marks & IS_CONTROL_FLOW for fact in tree.spans]
    if not any(failed):
        return 0
    below = [False] * len(failed)
    for at in reversed(tree.down):
        above = tree.parent[at]
        if above != NO_PARENT and (failed[at] or below[at]):
            below[above] = True
    return sum(it and not one_below for it, one_below in zip(failed, below, strict=True))


def _first(texts: Iterable[str]) -> str:
    return next(filter(None, texts), "")


def _named(values: Sequence[tuple[int, str]], order: KeyOrder) -> str:
    at = naming((key for key, _ in values), order)
    return "" if at is None else values[at][1]


def naming(keys: Iterable[int], order: KeyOrder) -> int | None:
    """Which span names the session or user, by its position: that with the best key; of one key the first, and spans
    come sorted by start and span ID. None where none has a key."""
    best, best_place = None, None
    for at, key in enumerate(keys):
        if key:
            place = order.place(key)
            if best_place is None or place < best_place:
                best, best_place = at, place
    return best


def _metadata(spans: Sequence[Fact]) -> dict[str, str]:
    """All spans' metadata; where two spans differ the later one wins."""
    merged: dict[str, str] = {}
    for fact in spans:
        if fact.labels:
            merged.update(fact.labels.metadata)
    return {key: merged[key] for key in sorted(merged)[:MAX_LISTED]} if merged else merged


def union(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text once, sorted, without the empty one; of more than a trace or session lists, the first ones."""
    each = sorted({text for text in texts if text})
    if len(each) < 2:
        return tuple(each) if not each or len(each[0]) <= MAX_LISTED_CHARACTERS else ()
    if len(each) <= MAX_LISTED and sum(map(len, each)) <= MAX_LISTED_CHARACTERS:
        return tuple(each)
    lengths = accumulate(map(len, each))
    kept = zip(each[:MAX_LISTED], lengths, strict=False)
    return tuple(text for text, length in kept if length <= MAX_LISTED_CHARACTERS)
