"""What a recorded program says of itself: its turns, one JSON line each, for `tests/recordings/truth.py`.

    turns = Turns(provider)
    with turns.turn("chat-1", "Hello", user="ada") as turn:
        turn.answer = ask("Hello")

The trace of a turn is the one that begins while the turn lasts; a program that knows it from its SDK sets `trace_id`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider


@dataclass
class Turn:
    """One trace, as the program sees it."""

    session_id: str
    said: str
    user_id: str | None
    tags: list[str]
    fails: bool
    """Whether a call in it is meant to fail."""
    said_is_told: bool
    """Whether the SDK exports what was said at all."""
    details: list[str] | None
    """Which of `DETAILS` of `truth.py` the SDK exports; null for a truth without any word of them."""
    answer: str = ""
    """What the program got in the end; empty if it got nothing."""
    trace_id: str = ""
    unread: int = 0
    """Of how many of its last calls the SDK, by its source, doesn't write the usage."""
    unread_before: int = 0
    """Of how many of its first calls it doesn't: one span of several calls that has the usage of the last."""
    calls_are_told: bool = True
    """Whether each call has a span of its own."""
    first_call: int = 0
    end_call: int = 0
    """The lines of the server's log that fell into it: from the first, up to but without the end."""


class _Begun(SpanProcessor):
    """The IDs of the traces that began."""

    def __init__(self) -> None:
        self.trace_ids: list[str] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        if span.parent is None and span.context is not None:
            self.trace_ids.append(format(span.context.trace_id, "032x"))


class Turns:
    """Writes the turns of a program."""

    def __init__(self, provider: TracerProvider | None = None, details: Sequence[str] | None = None) -> None:
        """Watch the traces that begin in `provider`; without one the program sets the IDs itself.

        `details` are the parts of the usage that the SDK exports, as `Turn` has them.
        """
        self._details = None if details is None else list(details)
        self._file = Path(os.environ["RECORDING_TURNS"])
        self._calls = Path(os.environ["RECORDING_CALLS"])
        self._begun = _Begun()
        if provider is not None:
            provider.add_span_processor(self._begun)

    @contextmanager
    def turn(
        self,
        session: str,
        said: str,
        *,
        user: str | None = None,
        tags: Sequence[str] = (),
        fails: bool = False,
        said_is_told: bool = True,
    ) -> Iterator[Turn]:
        """A turn lasts as long as the block. One that `fails` may end in any exception."""
        turn = Turn(session, said, user, list(tags), fails, said_is_told, self._details)
        turn.first_call = self._call_count()
        self._begun.trace_ids.clear()
        try:
            yield turn
        except Exception as error:
            if not fails:
                raise
            print(f"failed as it should: {type(error).__name__}")
        turn.end_call = self._call_count()
        if not turn.trace_id:
            (turn.trace_id,) = self._begun.trace_ids
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(turn), ensure_ascii=False) + "\n")

    def _call_count(self) -> int:
        return len(self._calls.read_text(encoding="utf-8").splitlines())
