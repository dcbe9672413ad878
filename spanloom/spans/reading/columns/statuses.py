"""How spans ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from spanloom.spans.conventions.fields import Field
from spanloom.spans.reading.columns.fields import FieldColumns, Objects
from spanloom.spans.reading.columns.heads import Mask, binary, valid_strings
from spanloom.spans.reading.columns.names import named
from spanloom.spans.reading.span.events import Events
from spanloom.spans.reading.span.status import STATUSES, ended_by_control_flow, status_of

_STATUSES = np.array(["unset", *STATUSES.values()], object)


class Statuses(NamedTuple):
    """By span."""

    status: Objects
    message: Objects
    is_control_flow: Mask


def statuses(spans: pa.StructArray, fields: FieldColumns, events: Mapping[int, Events]) -> Statuses:
    """Return how spans ended, as `spanloom.spans.reading.span.status` has it of one."""
    given = spans.field("status")
    codes = given.field("code").fill_null(0).to_numpy(zero_copy_only=False)
    codes = np.where((codes > 0) & (codes < len(_STATUSES)), codes, 0)
    messages: Objects = valid_strings(binary(given, "message")).to_numpy(zero_copy_only=False)
    status = _STATUSES[codes]
    by_attribute = fields.has(Field.STATUS)
    if by_attribute.any():
        said = named(fields, Field.STATUS_MESSAGE)
        status[by_attribute] = fields.of(Field.STATUS)[by_attribute]
        messages = np.where(by_attribute & (messages == ""), said, messages)
    for at, of_span in events.items():
        if any(event.name == "exception" for event in of_span.kept):
            status[at], messages[at] = status_of(0, messages_sent(given, at), of_span.kept, ())
    ended = np.zeros(fields.spans, bool)
    for at in np.flatnonzero(status == "error").tolist():
        kept = events[at].kept if at in events else ()
        ended[at] = ended_by_control_flow(kept, messages[at])
    return Statuses(status, messages, ended)


def messages_sent(given: pa.StructArray, at: int) -> str:
    """Return the message of a span's status as it was sent."""
    message = given.field("message")[at].as_py()
    return message.decode("utf-8", "replace") if message else ""
