"""Counts the spans whose tokens have no known price, by provider and model, in a metric of bounded size."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client import Counter

MAX_PAIRS = 100
"""At most this many pairs of provider and model get a time series of their own. Their names come from outside: a sender
that makes up a new one with each span would fill memory here and in Prometheus."""

MAX_CHARACTERS = 64
"""Longer names are cut."""

OTHER = "other"
"""The provider and model that all further ones are counted under."""

_WRAPPERS = pa.array(["AGENT", "CHAIN"])
"""Types of spans that repeat the usage of calls inside them."""


class UnpricedSpans:
    """Counts in a Prometheus metric with the labels `provider` and `model`."""

    def __init__(self, metric: Counter) -> None:
        self._metric = metric
        self._pairs: set[tuple[str, str]] = set()

    def count(self, table: pa.Table) -> None:
        """Count those spans of a span table that have a model and tokens, but no price, and are no wrappers."""
        used = pc.or_(pc.greater(table["input_tokens"], 0), pc.greater(table["output_tokens"], 0))
        calls = pc.and_not(used, pc.is_in(table["span_type"], value_set=_WRAPPERS))
        without_price = pc.and_(pc.equal(table["priced"], 0), pc.not_equal(table["model"], ""))
        found = table.select(["provider", "model"]).filter(pc.and_(calls, without_price))
        if not found.num_rows:
            return
        groups = found.group_by(["provider", "model"]).aggregate([([], "count_all")]).to_pylist()
        for group in groups:
            self._metric.labels(*self._pair(group["provider"], group["model"])).inc(group["count_all"])

    def _pair(self, provider: str, model: str) -> tuple[str, str]:
        pair = provider[:MAX_CHARACTERS], model[:MAX_CHARACTERS]
        if pair in self._pairs:
            return pair
        if len(self._pairs) >= MAX_PAIRS:
            return OTHER, OTHER
        self._pairs.add(pair)
        return pair
