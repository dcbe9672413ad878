"""Which spans bear witness to what was asked and answered in their trace, as `rows/witnesses.py` says."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise

import numpy as np

from spanloom.spans.reading.columns.details import Details
from spanloom.spans.reading.columns.fields import Objects
from spanloom.spans.reading.columns.heads import Mask, SpanIds
from spanloom.spans.reading.columns.key_values import text_of_bytes
from spanloom.spans.reading.columns.wire import Indices
from spanloom.spans.reading.span.previews import is_nothing, recorded_preview
from spanloom.spans.reading.span.row import Preview
from spanloom.spans.table import INPUT_OF_TRACE, OUTPUT_IS_TEXT, OUTPUT_OF_TRACE

_RECORDED = 1
_TOLD = 2
_TOOL = 4
"""At a span or around it something was recorded; an output in words; something by a tool."""


def recording(span_type: Objects, inputs: Objects, outputs: Objects) -> Mask:
    """Return which spans are no call of a model and have recorded something."""
    found = [
        kind != "LLM" and not (_is_nothing(given) and _is_nothing(answer))
        for kind, given, answer in zip(span_type.tolist(), inputs.tolist(), outputs.tolist(), strict=True)
    ]
    return np.array(found, bool)


def _is_nothing(given: str | bytes) -> bool:
    return isinstance(given, str) and is_nothing(given)


def bear_witness(
    message: Indices, ids: SpanIds, span_type: Objects, inputs: Objects, outputs: Objects, details: Details
) -> None:
    """Give the outermost spans of each message previews of what they recorded."""
    records = recording(span_type, inputs, outputs)
    if not records.any():
        return
    trace, own, parent = (each.to_pylist() for each in ids)
    edges = [0, *(np.flatnonzero(np.diff(message)) + 1).tolist(), len(message)]
    recorded = np.flatnonzero(records)
    begins_of = pairwise(np.searchsorted(recorded, edges).tolist())
    for (first, behind), (begin_first, begin_behind) in zip(pairwise(edges), begins_of, strict=True):
        begins = recorded[begin_first:begin_behind].tolist()
        if not begins:
            continue
        position = {trace[at] + own[at]: at for at in range(first, behind) if at not in details.failed}
        known: dict[int, int] = {}
        for begin in begins:
            if begin in known or begin in details.failed:
                continue
            path = []
            at: int | None = begin
            while at is not None and at not in known:
                known[at] = 0  # ends circles
                path.append(at)
                at = position.get(trace[at] + parent[at])
            around = 0 if at is None else known[at]
            for at in reversed(path):
                if records[at]:
                    is_tool = span_type[at] == "TOOL"
                    if not around & (_RECORDED | _TOOL if is_tool else _TOLD):
                        # Whatever a form of messages trips over costs this one preview.
                        with suppress(Exception):
                            _preview(inputs[at], outputs[at], details, at, around)
                    if is_tool:
                        around |= _TOOL
                    else:
                        around |= _RECORDED | (_TOLD if _marks(details.answered, at) & OUTPUT_IS_TEXT else 0)
                known[at] = around


def _preview(given: str | bytes, answer: str | bytes, details: Details, at: int, around: int) -> None:
    if not around & _RECORDED and not _marks(details.asked, at) & INPUT_OF_TRACE:
        details.asked[at] = recorded_preview(_text(given), "user")
    if not _marks(details.answered, at) & OUTPUT_OF_TRACE:
        details.answered[at] = recorded_preview(_text(answer), "assistant")


def _text(given: str | bytes) -> str:
    return text_of_bytes(given) if isinstance(given, bytes) else given


def _marks(previews: Mapping[int, Preview], at: int) -> int:
    return previews[at].marks if at in previews else 0
