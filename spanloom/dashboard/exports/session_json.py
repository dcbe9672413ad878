"""A session as one JSON document: its totals, its traces, and their spans with all that they carried."""

from __future__ import annotations

from spanloom.dashboard.exports.left_off import LeftOff
from spanloom.warehouse.queries.answers import SessionDetail
from spanloom.warehouse.queries.traces.whole import TracePart


class SessionJson:
    """`{"session", "traces": [{"trace", "spans", "complete"}], "complete", "left_off": {"traces", "spans"}}`.

    Each trace and each span begins a line.
    """

    def __init__(self, session: SessionDetail) -> None:
        self._session = session
        self._left_off = LeftOff(session)
        self._between = "\n"

    def begin(self) -> str:
        """The session's totals."""
        return f'{{"session": {self._session.model_dump_json()},\n"traces": ['

    def part(self, part: TracePart) -> str:
        """Some spans."""
        self._left_off.count(part)
        text = ""
        if part.begins:
            text = f'{self._between}{{"trace": {part.trace.model_dump_json()}, "spans": ['
            self._between = ",\n"
        if part.spans:
            comma = "" if part.begins else ","
            text += comma + "\n" + ",\n".join(span.model_dump_json() for span in part.spans)
        if part.ends:
            text += f'], "complete": {_word(part.complete)}}}'
        return text

    def end(self) -> str:
        """Whether that was all."""
        left_off = self._left_off
        return (
            f'\n],\n"complete": {_word(not left_off.any)}, '
            f'"left_off": {{"traces": {left_off.traces}, "spans": {left_off.spans}}}}}\n'
        )


def _word(yes: bool) -> str:
    return "true" if yes else "false"
