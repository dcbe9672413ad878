"""How a span ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spanloom.spans.conventions.control_flow import is_control_flow
from spanloom.spans.conventions.fields import Field
from spanloom.spans.reading.span.row import EventRow

STATUSES = {1: "ok", 2: "error"}
"""By the status codes of OTLP; any other is `unset`."""

_STATUS = int(Field.STATUS)
_STATUS_MESSAGE = int(Field.STATUS_MESSAGE)


def status_of(code: int, message: str, events: Sequence[EventRow], values: Sequence[Any]) -> tuple[str, str]:
    """Return status and message: an error is a status ERROR, an event named `exception`, or what a convention
    calls one.

    Args:
        code: as OTLP has it, likewise `message`.
        events: of the span.
        values: its fields.
    """
    for event in events:
        if event.name == "exception":
            exception = event.attributes
            return "error", message or exception.get("exception.message") or exception.get(
                "exception.type", ""
            )
    if values[_STATUS]:
        return values[_STATUS], message or values[_STATUS_MESSAGE] or ""
    return STATUSES.get(code, "unset"), message


def ended_by_control_flow(events: Sequence[EventRow], message: str) -> bool:
    """Return whether what ended a span in error was raised by a framework to stop or to go on elsewhere."""
    return is_control_flow([each.attributes for each in events if each.name == "exception"], message)
