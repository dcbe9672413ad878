"""The bytes of many messages to Arrow, flat: each level's items in one array, and whose they are in another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import ptars
import pyarrow as pa

from spanloom.schemas import otlp_pb2

Indices = npt.NDArray[np.int32]


class WireSpans(NamedTuple):
    """The spans of some messages, in the order in which they stand."""

    spans: pa.StructArray
    """The fields of otlp.Span: attributes and events are lists, and attributes the bytes of a KeyValue each."""
    message: Indices
    """For each span the index of its message."""
    resource: Indices
    """For each span the index of its resource, among those of all messages; likewise `scope`."""
    scope: Indices
    scopes: pa.BinaryArray
    """The bytes of each InstrumentationScope, null where there is none."""


def parse(messages: Sequence[bytes]) -> WireSpans:
    """Read ExportTraceServiceRequests.

    Raises:
        ValueError: one of them is none.
    """
    batch = _handler().list_to_record_batch(list(messages))
    resource_spans, message_of_resource = flat(batch.column("resource_spans"))
    scope_spans, resource_of_scope = flat(resource_spans.field("scope_spans"))
    spans, scope = flat(scope_spans.field("spans"))
    resource = resource_of_scope[scope]
    return WireSpans(spans, message_of_resource[resource], resource, scope, scope_spans.field("scope"))


def flat(lists: pa.ListArray) -> tuple[Any, Indices]:
    """Return the items of all lists, and for each the index of its list."""
    sizes = np.diff(np.asarray(lists.offsets))
    return lists.values, np.repeat(np.arange(len(lists), dtype=np.int32), sizes)


@cache
def _handler() -> Any:
    pool = ptars.HandlerPool([otlp_pb2.DESCRIPTOR])
    return pool.get_for_message(otlp_pb2.ExportTraceServiceRequest.DESCRIPTOR)
