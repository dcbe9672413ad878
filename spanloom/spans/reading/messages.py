"""What is decoded, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from spanloom.spans.reading.wire.rejects import Reject
from spanloom.spans.reading.wire.request import Request, read_request


@dataclass(frozen=True, slots=True)
class OtlpMessage:
    """One record of `otlp_spans`."""

    value: bytes
    """An ExportTraceServiceRequest, as protobuf or as OTLP JSON: JSON begins with `{`, protobuf with 0x0a."""
    project_id: str = ""
    """The project its header `spanloom-project` names; else the resource's attribute `spanloom.project_id`
    does, else it is `default`."""
    written: int = 0
    """When the record was written, milliseconds since the epoch; 0 where nobody knows."""
    is_replay: bool = False
    """Its spans are stored already, and what they say of that is believed (`StoredSpan` of otlp.proto)."""


def request_of(index: int, message: OtlpMessage, most_spans: int, rejects: list[Reject]) -> Request | None:
    """Return what a message asks for, None where that can't be read; what is wrong with it is added to the rejects.

    Args:
        index: the message's.
        most_spans: a message of more spans is rejected.
    """
    try:
        request = read_request(message.value, most_spans)
    except ValueError as error:
        rejects.append(Reject(index, str(error), message.value))
        return None
    except Exception as error:
        reason = f"The message could not be read ({type(error).__name__})."
        rejects.append(Reject(index, reason, message.value))
        return None
    if request.problem:
        # The whole of it, for a part can't be cut out of any JSON; the spans in it are read all the same, and count
        # once however often they are sent.
        rejects.append(Reject(index, request.problem, message.value))
    return request


@dataclass(frozen=True, slots=True)
class Decoded:
    """The spans of OTLP messages, and what was rejected."""

    table: pa.Table
    """A span table (`spanloom.spans.table.SPAN_TABLE`)."""
    message: npt.NDArray[np.int32]
    """For each row the index of its message."""
    rejects: list[Reject]
    replaces: dict[int, int] = field(default_factory=dict)
    """By the index of a row that was stored already: the version of the row that it replaces."""
