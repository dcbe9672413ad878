"""Counts the spans whose tokens have no known price, by provider and model, in a metric of bounded size.

The names come from senders. In a label stands only a name that the public price table holds, or one that looks like the
name of a model: anything else is `other`, and so is what a sender brings beyond its share. Everything there is shows
`spanloom models --unpriced`, which asks ClickHouse.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from prometheus_client import Counter

from spanloom.agents.stages.label_sets import LabelSets
from spanloom.spans.pricing.prices import Prices

MOST = 200
"""At most this many pairs of provider and model whose names the price table holds get a time series of their own, and
as many of other names, which so can't crowd out the first."""

SHARE = 20
"""At most this many of either does one sender add."""

OTHER = "other"
"""Stands for every other provider or model."""

_NAME = re.compile(r"(?=.{1,64}\Z)[a-z0-9][a-z0-9._:/-]*(?:@(?:\d+|latest|default))?", re.ASCII)
"""The name of a model or provider, in lower case; Vertex AI writes a version behind `@`. An e-mail address is none."""

_WRAPPERS = pa.array(["AGENT", "CHAIN"])
"""Types of spans that repeat the usage of calls inside them."""


class UnpricedSpans:
    """Counts in a Prometheus metric with the labels `provider` and `model`.

    Args:
        metric: the metric.
        prices: whose names are known.
    """

    def __init__(self, metric: Counter, prices: Prices) -> None:
        self._metric = metric
        self._names = prices.listed_names() | {"", OTHER}
        self._listed = LabelSets(MOST, SHARE)
        self._unlisted = LabelSets(MOST, SHARE)

    def count(self, table: pa.Table, named: npt.NDArray[np.bool_]) -> None:
        """Count those spans of a span table that have a model and tokens, but no price, and are no wrappers.

        Args:
            table: the spans.
            named: for each, whether its message names the project. If so the project is the sender: a receiver took it
                from a key. Spans name any project they like, so all spans that do it themselves are of one sender.
        """
        used = pc.or_(pc.greater(table["input_tokens"], 0), pc.greater(table["output_tokens"], 0))
        calls = pc.and_not(used, pc.is_in(table["span_type"], value_set=_WRAPPERS))
        without_price = pc.and_(pc.equal(table["priced"], 0), pc.not_equal(table["model"], ""))
        sender = pc.if_else(pa.array(named, pa.bool_()), table["project_id"], "")
        columns = table.select(["provider", "model"]).append_column("sender", sender)
        found = columns.filter(pc.and_(calls, without_price))
        if not found.num_rows:
            return
        groups = found.group_by(columns.column_names).aggregate([([], "count_all")]).to_pylist()
        for group in groups:
            labels = self._labels(group["provider"], group["model"], group["sender"])
            self._metric.labels(*labels).inc(group["count_all"])

    def _labels(self, provider: str, model: str, sender: str) -> tuple[str, str]:
        pair = self._name(provider), self._name(model)
        if not self._names.issuperset(pair):
            if self._unlisted.admits(pair, sender):
                return pair
            pair = self._listed_or_other(pair[0]), self._listed_or_other(pair[1])
        return pair if self._listed.admits(pair, sender) else (OTHER, OTHER)

    def _name(self, name: str) -> str:
        name = name.strip().lower()
        return name if name in self._names or _NAME.fullmatch(name) else OTHER

    def _listed_or_other(self, name: str) -> str:
        return name if name in self._names else OTHER
