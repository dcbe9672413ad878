"""docs/operations.md names every metric of the catalogue, and every option of the local stack."""

from __future__ import annotations

import re

import typer.main
from prometheus_client.metrics import MetricWrapperBase

from spanloom.agents import metrics
from spanloom.commands.cli import app
from spanloom.connections import metrics as connection_metrics
from spanloom.receiver import metrics as receiver_metrics
from tests.docs.generated import ROOT

_PAGE = (ROOT / "docs" / "operations.md").read_text()


_CATALOGUE = [
    metric
    for module in (metrics, receiver_metrics, connection_metrics)
    for metric in vars(module).values()
    if isinstance(metric, MetricWrapperBase)
]

_OURS = {"stage", "table", "transport", "outcome", "server", "reason"}
"""Labels whose values are constants of the code. A project's name is none: Kafka's messages may hold any."""


def test_every_metric_is_named_with_its_labels_and_no_other() -> None:
    named = set(re.findall(r"^\| `(spanloom_\w+(?:\{[\w, ]+\})?)`", _PAGE, re.MULTILINE))
    names = set()
    for metric in _CATALOGUE:
        [family] = metric.collect()
        labels = f"{{{', '.join(metric._labelnames)}}}" if metric._labelnames else ""
        names.add(family.name + ("_total" if family.type == "counter" else "") + labels)
    assert named == names


def test_only_the_metric_of_unpriced_spans_has_labels_from_outside() -> None:
    assert [metric for metric in _CATALOGUE if not _OURS.issuperset(metric._labelnames)] == [
        metrics.UNPRICED_SPANS
    ]


def test_every_option_of_up_is_named() -> None:
    up = typer.main.get_command(app).commands["up"]  # type: ignore[attr-defined]
    options = {name for parameter in up.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {name for name in options - {"--sample"} if f"`{name}" not in _PAGE} == set()
