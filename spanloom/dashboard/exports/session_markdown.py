"""A session as Markdown to read, to print or to hand on: its totals, then each turn: asked, done, answered.

Texts of strangers can't break its structure: what was said stands in fences longer than any inside it, names are
escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from spanloom.dashboard.exports.left_off import LeftOff
from spanloom.dashboard.rendering.printable import printable
from spanloom.dashboard.rendering.wording import cost, count, exact, seconds
from spanloom.spans.messages.finding import conversation
from spanloom.spans.messages.parts import Call, Result
from spanloom.spans.messages.texts import message_value
from spanloom.spans.table import PREVIEW_CHARACTERS
from spanloom.spans.text.parsing import parse_json
from spanloom.warehouse.queries.answers import SessionDetail, SpanDetail, TraceCard, Usage
from spanloom.warehouse.queries.traces.whole import TracePart

_MARKUP = re.compile(r"([\\`*_\[\]<>&|~#$])")
_BACKTICKS = re.compile("`{3,}")
_NAME_CHARACTERS = 300
_MOST_VALUES = 50

_MOST_CALLS = 100_000
"""IDs of tool calls that are remembered: a conversation is sent again with each call, and tells of each once."""


def escaped(text: str, most: int = _NAME_CHARACTERS) -> str:
    """A text of strangers within a line: no markup, no line break, at most so many characters."""
    line = " ".join(printable(text[: most + 1]).split())
    return _MARKUP.sub(r"\\\1", line if len(text) <= most else line[:most] + "…")


def fenced(text: str, language: str = "") -> str:
    """A text of strangers as it stands, in a fence that nothing in it ends."""
    lines = printable(text.replace("\r\n", "\n").replace("\r", "\n")).rstrip("\n")
    longest = max((len(run) for run in _BACKTICKS.findall(lines)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{lines}\n{fence}\n"


class SessionMarkdown:
    """The document, some paragraphs at a time."""

    def __init__(self, session: SessionDetail) -> None:
        self._session = session
        self._left_off = LeftOff(session)
        self._turn = _Turn()

    def begin(self) -> str:
        """The session's totals."""
        return _head(self._session)

    def part(self, part: TracePart) -> str:
        """Some spans: the question before the first of a trace, the answer behind the last."""
        self._left_off.count(part)
        text = ""
        if part.begins:
            self._turn = _Turn()
            text = _question(part.trace)
        text += "".join(self._turn.steps(part))
        if part.ends:
            text += _answer(part.trace)
            if not part.complete:
                text += "\n*The last spans of this trace are left out.*\n"
        return text

    def end(self) -> str:
        """What was left out, where anything was."""
        return _end(self._left_off)


def _head(session: SessionDetail) -> str:
    facts = [
        ("Project", escaped(session.project_id)),
        ("User" if len(session.user_ids) == 1 else "Users", _values(session.user_ids)),
        ("Time", f"{_span_of_time(session.start_time, session.end_time)}, {seconds(session.duration)}"),
        ("Traces", count(session.trace_count)),
        ("LLM calls", count(session.llm_call_count)),
        ("Tool calls", count(session.tool_call_count)),
        ("Errors", count(session.failure_count)),
        ("Tokens", _tokens(session)),
        ("Cost", cost(session)),
        ("Models", _values(session.models)),
        ("Services", _values(session.services)),
        ("Tags", _values(session.tags)),
        *((escaped(key), _values(values)) for key, values in session.metadata.items()),
    ]
    lines = "".join(f"* {name}: {value}\n" for name, value in facts if value)
    return f"# Session {escaped(session.session_id)}\n\n{lines}"


def _question(trace: TraceCard) -> str:
    facts = [
        exact(trace.start_time),
        seconds(trace.duration),
        f"{_tokens(trace)} tokens",
        cost(trace),
        _values(trace.models),
        f"{count(trace.failure_count)} {'error' if trace.failure_count == 1 else 'errors'}"
        if trace.failure_count
        else "",
        f"trace {escaped(trace.trace_id)}",
    ]
    asked = _said(trace.input) if trace.input.strip() else "No input was recorded.\n"
    return (
        f"\n## {trace.number}. {escaped(trace.name) or 'unnamed'}\n\n"
        f"{' · '.join(fact for fact in facts if fact)}\n\n### Input\n\n{asked}"
    )


def _answer(trace: TraceCard) -> str:
    nothing = "It failed before it answered.\n" if trace.has_errors else "No output was recorded.\n"
    return f"\n### Output\n\n{_said(trace.output) if trace.output.strip() else nothing}"


def _said(text: str) -> str:
    """A question or answer: whole, or as much as the trace's row has where no span says more."""
    cut = "\n*This is its beginning: no span was found that has more of it.*\n"
    return fenced(text) + (cut if len(text) == PREVIEW_CHARACTERS else "")


def _end(left_off: LeftOff) -> str:
    if not left_off.any:
        return ""
    return (
        f"\n---\n\n*This is not the whole session: {count(left_off.traces)} traces and {count(left_off.spans)} spans"
        " are left out behind this point, because a file holds so many only.*\n"
    )


class _Turn:
    """What was done in one trace: tool calls in the order in which they began, and where errors began."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def steps(self, part: TracePart) -> Iterator[str]:
        """The paragraphs of some spans."""
        for span in part.spans:
            if span.span_type == "TOOL":
                yield f"\n### Tool: {escaped(span.name) or 'unnamed'}\n"
                yield from _texts(("Arguments", span.input), ("Result", span.output))
            elif span.span_type == "LLM" and not part.trace.tool_call_count:
                yield from self._calls(span)
            if span.status == "error" and span.span_id not in part.led_to:
                yield f"\n### Error in {escaped(span.name) or 'unnamed'}\n"
                yield from _error(span)

    def _calls(self, span: SpanDetail) -> Iterator[str]:
        """What an LLM call's messages say of tools, where no span does."""
        for text, side in ((span.input, "user"), (span.output, "assistant")):
            turns = conversation(message_value(text), side) if text else None  # type: ignore[arg-type]
            for part in (part for turn in turns or () for part in turn.parts):
                if not isinstance(part, Call | Result) or not self._is_new(part):
                    continue
                name = f"{part.name} {part.call_id}".strip()
                if isinstance(part, Call):
                    yield f"\n### Tool: {escaped(name) or 'unnamed'}\n"
                    yield from _texts(("Arguments", _written(part.arguments)))
                else:
                    yield f"\n### Tool result: {escaped(name) or 'unnamed'}\n"
                    yield from _texts(("Result", _written(part.content)))

    def _is_new(self, part: Call | Result) -> bool:
        key = (type(part).__name__, part.call_id or _written(part.sent))
        if key in self._told or len(self._told) >= _MOST_CALLS:
            return False
        self._told.add(key)
        return True


def _texts(*named: tuple[str, str]) -> Iterator[str]:
    for name, text in named:
        if text.strip():
            shown = _indented(text)
            yield f"\n{name}:\n\n{fenced(shown, 'json' if shown is not text else '')}"


def _error(span: SpanDetail) -> Iterator[str]:
    said = False
    for event in span.events:
        if event.name == "exception":
            kind, message, stack = (
                event.attributes.get(f"exception.{name}", "") for name in ("type", "message", "stacktrace")
            )
            text = stack if message and message in stack else "\n".join(filter(None, (kind, message, stack)))
            if text.strip():
                said = True
                yield f"\n{fenced(text)}"
    if span.status_message.strip() and not said:
        yield f"\n{fenced(span.status_message)}"
    elif not said:
        yield "\nIt failed and does not say why.\n"


def _indented(text: str) -> str:
    """JSON with a member a line; anything else as it is."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json.dumps(parse_json(text), ensure_ascii=False, indent=2)
    except ValueError:
        return text


def _written(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _values(values: list[str]) -> str:
    shown = ", ".join(escaped(value) for value in values[:_MOST_VALUES])
    more = len(values) - _MOST_VALUES
    return f"{shown} and {count(more)} more" if more > 0 else shown


def _tokens(of: Usage) -> str:
    everything = of.input_tokens + of.output_tokens + of.unsplit_tokens
    if of.unsplit_tokens == everything:
        return count(everything)
    return f"{count(of.input_tokens)} → {count(of.output_tokens)} ({count(everything)})"


def _span_of_time(start: datetime, end: datetime) -> str:
    return f"{exact(start)} – {exact(end)}"
