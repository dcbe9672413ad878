"""The trace fold: a trace's row and its contribution are a pure function of the set of its spans' facts.

The rules are those of `docs/conventions.md`: how a trace finds its session, which
spans count, and what its input and output are. Nothing here depends on the order in which facts arrived.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from spanloom.spans.conventions.identity import BUILT_IN, Identity, KeyOrder
from spanloom.spans.folding.counters import Counters, count
from spanloom.spans.folding.fact import Fact, TraceKey
from spanloom.spans.table import INPUT_IS_MESSAGE, OUTPUT_IS_MESSAGE, SPAN_TYPES, STATUSES

MAX_LISTED = 1000
"""The most tags, metadata keys, models or services (or a session's users) that one trace or session lists."""

MAX_LISTED_CHARACTERS = 16_384
"""The most characters of each of these lists: a contribution must fit into a record."""

_LLM = SPAN_TYPES.index("LLM")
_EMBEDDING = SPAN_TYPES.index("EMBEDDING")


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
    start_time: int
    end_time: int
    status: str
    counters: Counters
    models: tuple[str, ...]
    input: str
    output: str
    root_span_id: int


def fold(key: TraceKey, facts: Collection[Fact], identity: Identity = BUILT_IN) -> Trace:
    """Fold the facts of one trace, at least one, each span once; `identity` decides on its session and user."""
    by_id = {fact.span_id: fact for fact in facts}
    spans = sorted(facts, key=_by_start)
    root = _root(spans, by_id)
    counted = _counted(spans, by_id)
    main = _main_calls(counted, by_id)
    return Trace(
        key=key,
        session_id=_named([(fact.session_key, fact.session_id) for fact in spans], identity.sessions),
        name=root.name,
        user_id=_named([(fact.user_key, fact.user_id) for fact in spans], identity.users),
        tags=union(tag for fact in spans if fact.labels for tag in fact.labels.tags),
        metadata=_metadata(spans),
        services=union(fact.service_name for fact in spans),
        start_time=spans[0].start_time,
        end_time=max(fact.start_time + fact.duration for fact in spans),
        status=STATUSES[root.status],
        counters=count(spans, counted),
        models=union(fact.model for fact in counted),
        input=_input(main, root),
        output=_output(main, root),
        root_span_id=root.span_id,
    )


def _by_start(fact: Fact) -> tuple[int, int]:
    return fact.start_time, fact.span_id


def _root(spans: list[Fact], by_id: Mapping[int, Fact]) -> Fact:
    """The span without a parent; while it has not arrived, the earliest one whose parent is unknown.

    `spans` are sorted by start. A hostile trace may be one circle of parents: then it is the earliest span.
    """
    for fact in spans:
        if not _parent(fact):
            return fact
    for fact in spans:
        if fact.parent_span_id not in by_id:
            return fact
    return spans[0]


def _parent(fact: Fact) -> int:
    return 0 if fact.parent_span_id == fact.span_id else fact.parent_span_id


def _counted(spans: list[Fact], by_id: Mapping[int, Fact]) -> list[Fact]:
    """Usage counts once: the spans that bear usage and have no descendant that does, sorted by start.

    Walking up stops at an ancestor that is marked already (all above it are marked too), so this is linear,
    and it ends even where parents form a circle.
    """
    bearing = [fact for fact in spans if _bears_usage(fact)]
    wrappers: set[int] = set()
    for fact in bearing:
        parent = _parent(fact)
        while parent and parent not in wrappers:
            wrappers.add(parent)
            above = by_id.get(parent)
            parent = _parent(above) if above else 0
    return [fact for fact in bearing if fact.span_id not in wrappers]


def _bears_usage(fact: Fact) -> bool:
    return bool(
        fact.span_type in (_LLM, _EMBEDDING)
        or fact.input_tokens
        or fact.output_tokens
        or fact.cache_read_tokens
        or fact.cache_write_tokens
        or fact.reasoning_tokens
        or fact.total_cost
        or fact.input_cost
        or fact.output_cost
    )


def _main_calls(counted: list[Fact], by_id: Mapping[int, Fact]) -> list[Fact]:
    """The counted LLM spans with the fewest ancestors, sorted by start.

    Ancestors that are LLM spans themselves are the same call once more, so they make it no deeper: else a failed
    call without a repetition would stand above its retry with one.
    """
    calls = [fact for fact in counted if fact.span_type == _LLM]
    if len(calls) < 2:
        return calls
    depths: dict[int, int] = {}
    for fact in calls:
        _depth(fact, by_id, depths)
    fewest = min(depths[fact.span_id] for fact in calls)
    return [fact for fact in calls if depths[fact.span_id] == fewest]


def _depth(fact: Fact, by_id: Mapping[int, Fact], depths: dict[int, int]) -> None:
    """Note the number of ancestors, without LLM spans, within the trace of a span and of all spans above it.

    Each span is walked over once. What hangs below a circle of parents counts as deeper than all else.
    """
    path: list[int] = []
    on_path: set[int] = set()
    current: Fact | None = fact
    while current is not None and current.span_id not in depths:
        if current.span_id in on_path:
            for span_id in path:
                depths[span_id] = len(by_id)
            return
        path.append(current.span_id)
        on_path.add(current.span_id)
        current = by_id.get(_parent(current))
    above = current
    for span_id in reversed(path):
        if above is None:
            depths[span_id] = 0
        else:
            depths[span_id] = min(depths[above.span_id] + (above.span_type != _LLM), len(by_id))
        above = by_id[span_id]


def _named(values: Iterable[tuple[int, str]], order: KeyOrder) -> str:
    """The value under the best key; under one key the first, and they come sorted by start and span ID."""
    best, best_place = "", None
    for key, value in values:
        if key:
            place = order.place(key)
            if best_place is None or place < best_place:
                best, best_place = value, place
    return best


def _metadata(spans: list[Fact]) -> dict[str, str]:
    """All spans' metadata; where two spans differ the later one wins."""
    merged: dict[str, str] = {}
    for fact in spans:
        if fact.labels:
            merged.update(fact.labels.metadata)
    return {key: merged[key] for key in sorted(merged)[:MAX_LISTED]} if merged else merged


def union(texts: Iterable[str]) -> tuple[str, ...]:
    """Each text once, sorted, without the empty one; of more than a trace or session lists, the first ones."""
    each = sorted(set(texts) - {""})
    if len(each) <= MAX_LISTED and sum(map(len, each)) <= MAX_LISTED_CHARACTERS:
        return tuple(each)
    lengths = accumulate(map(len, each))
    kept = zip(each[:MAX_LISTED], lengths, strict=False)
    return tuple(text for text, length in kept if length <= MAX_LISTED_CHARACTERS)


def _input(main: list[Fact], root: Fact) -> str:
    if main and main[0].preview_kind & INPUT_IS_MESSAGE:
        return main[0].input_preview
    return root.input_preview


def _output(main: list[Fact], root: Fact) -> str:
    for fact in reversed(main):
        if fact.preview_kind & OUTPUT_IS_MESSAGE:
            return fact.output_preview
    return root.output_preview
