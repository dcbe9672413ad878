"""What the spans of a resource have in common."""

from __future__ import annotations

from spanloom.schemas import otlp_pb2
from spanloom.spans.conventions.vocabulary import Vocabulary
from spanloom.spans.limits import TRUNCATED, Limits, unlimited
from spanloom.spans.reading.arrays import Texts
from spanloom.spans.reading.wire.attributes import attributes_within, texts
from spanloom.spans.text.values import valid_text

DEFAULT_PROJECT = "default"
"""The project of messages that name none."""

_RESOURCES = 1 << 24
"""Bytes that the resources of one message's spans may add up to, all repetitions counted: 2 kB a span in a message of
8,192 spans, the Collector's usual batch. A column of a whole batch must stay below Arrow's 2 GB."""


class ResourceRow:
    """What all spans of a resource have in common."""

    __slots__ = ("attributes", "environment", "project_id", "release", "service_name")

    def __init__(
        self, project_id: str, service_name: str, environment: str, release: str, attributes: Texts
    ) -> None:
        self.project_id = project_id
        self.service_name = service_name
        self.environment = environment
        self.release = release
        self.attributes = attributes


def resource_row(
    resource: otlp_pb2.Resource,
    project_id: str,
    spans: int,
    limits: Limits,
    vocabulary: Vocabulary,
    stored: otlp_pb2.StoredColumns | None = None,
) -> ResourceRow:
    """Return what the spans of a resource have in common. Its attributes are repeated on each of them, so that the
    longest are cut in a message of many spans.

    Args:
        resource: as it was sent.
        project_id: of its message, '' if that names none.
        spans: how many there are in the message.
        stored: what is known of one that was cut before.
    """
    name = limits.name
    within = limits if stored is None else unlimited(limits)
    attributes = texts(attributes_within(within, vocabulary).read_all(resource.attributes))
    project_id = project_id or attributes.get("spanloom.project_id") or DEFAULT_PROJECT
    budget = _budget(within, spans)
    kept: dict[str, str] = {}
    for key, text in attributes.items():
        budget -= len(key) + len(text) * (1 if text.isascii() else 4)
        if budget < 0:
            kept[TRUNCATED] = "resource"
            break
        kept[key] = text
    project_id = valid_text(project_id[:name])
    if stored is not None and stored.resource_cut:
        return ResourceRow(project_id, stored.service_name, stored.environment, stored.release, kept)
    environment = attributes.get("deployment.environment.name") or attributes.get(
        "deployment.environment", ""
    )
    return ResourceRow(
        project_id,
        attributes.get("service.name", "")[:name],
        environment[:name],
        attributes.get("service.version", "")[:name],
        kept,
    )


class Resources:
    """The resources of a batch of messages. Most messages repeat those of others, and each is read once."""

    def __init__(self, limits: Limits, vocabulary: Vocabulary) -> None:
        self.rows: list[ResourceRow] = []
        self._limits = limits
        self._vocabulary = vocabulary
        self._known: dict[tuple[bytes, str, int], int] = {}

    def place(self, resource: otlp_pb2.Resource, project_id: str, spans: int) -> int:
        """Return where in `rows` a resource stands; see `resource_row`."""
        key = resource.SerializeToString(), project_id, _budget(self._limits, spans)
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = len(self.rows)
            self.rows.append(resource_row(resource, project_id, spans, self._limits, self._vocabulary))
        return place


def _budget(limits: Limits, spans: int) -> int:
    """How many characters of a resource are kept in a message of so many spans."""
    return min(limits.resource, _RESOURCES // spans)
