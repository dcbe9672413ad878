"""Counts the spans whose tokens have no known price, by provider and model, in a metric of bounded size."""

from __future__ import annotations

import re
from collections import Counter

import prometheus_client
import pyarrow as pa
import pyarrow.compute as pc

MAX_PAIRS = 100
"""At most this many pairs of provider and model get a time series of their own. Their names come from outside: a sender
that makes up a new one with each span would fill memory here and in Prometheus."""

OTHER = "other"
"""The provider and model that all others are counted under."""

_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,63}")
"""What names of models and providers look like; anything else is a text that some sender put in their place, and
monitoring is no place for that."""

_WRAPPERS = pa.array(["AGENT", "CHAIN"])
"""Types of spans that repeat the usage of calls inside them."""


class UnpricedSpans:
    """Counts in a Prometheus metric with the labels `provider` and `model`."""

    def __init__(self, metric: prometheus_client.Counter) -> None:
        self._metric = metric
        self._pairs: set[tuple[str, str]] = set()
        self._of_project: Counter[str] = Counter()

    def count(self, table: pa.Table) -> None:
        """Count those spans of a span table that have a model and tokens, but no price, and are no wrappers."""
        used = pc.or_(pc.greater(table["input_tokens"], 0), pc.greater(table["output_tokens"], 0))
        calls = pc.and_not(used, pc.is_in(table["span_type"], value_set=_WRAPPERS))
        without_price = pc.and_(pc.equal(table["priced"], 0), pc.not_equal(table["model"], ""))
        columns = ["project_id", "provider", "model"]
        found = table.select(columns).filter(pc.and_(calls, without_price))
        if not found.num_rows:
            return
        groups = found.group_by(columns).aggregate([([], "count_all")]).to_pylist()
        for group in groups:
            pair = self._pair(group["project_id"], group["provider"], group["model"])
            self._metric.labels(*pair).inc(group["count_all"])

    def _pair(self, project: str, provider: str, model: str) -> tuple[str, str]:
        pair = provider, model
        if pair in self._pairs:
            return pair
        if not _WELL_FORMED.fullmatch(model) or (provider and not _WELL_FORMED.fullmatch(provider)):
            return OTHER, OTHER
        # No project takes more than as much as it leaves: whatever it sends, the next one has room.
        if self._of_project[project] >= MAX_PAIRS - len(self._pairs):
            return OTHER, OTHER
        self._of_project[project] += 1
        self._pairs.add(pair)
        return pair
