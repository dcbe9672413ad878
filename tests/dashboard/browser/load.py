"""A load for the browser: a rich conversation, hostile texts in every field, a long session, a big trace."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.dashboard.rendering.corpus import HOSTILE
from tests.integration.otlp import SECOND, llm, message, span

Messages = list[dict[str, object]]

RICH = "rich conversation"
LONG = "long session"
BIG_TRACE = 0xB16
BIG_SPANS = 10_000
LONG_TRACES = 130
_LARGE = ("x" * 2**20, "[" * 300_000, "line\n" * 100_000)
HOSTILE_TRACES = len(HOSTILE) + len(_LARGE)
HOSTILE_SESSION = (
    "<script>window.pwned=1</script>\"><img src=x onerror=window.pwned=1>'{{7*7}}${7*7} "
    "\u202e\x1b/../%2f%00?#&"
)
"""A session ID that tries everything an address and a page can be tricked by."""

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGP8z8DwnwEPYMInOVwUAABhWgEfpz1SDQAAAABJRU5ErkJggg=="

_ANSWER = """## What I found

The order **1234** left the warehouse on *Monday*. See [the tracking page](https://tracking.example/1234).

| step | when | hours |
|:-----|:----:|------:|
| packed | Mon | 2 |
| on its way | Tue | 26 |

1. Wait until Thursday
2. Then call us
   - by phone, or
   - by `mail`

```python
def refund(order: int) -> None:
    if order < 1000:
        raise ValueError("too <old>")
```

> We are sorry for the delay.
"""

_STACK = """Traceback (most recent call last):
  File "/app/turn.py", line 24, in turn
    charge(card)
  File "/app/pay.py", line 7, in charge
    raise CardDeclined("insufficient <funds>")
app.pay.CardDeclined: insufficient <funds>
"""


def rich(start: int) -> Iterator[bytes]:
    """Five turns with a pause of two hours in the middle: Markdown, tools, a picture, reasoning, an error."""
    session: dict[str, Any] = {"session__id": RICH, "user__id": "Ünal Şahin", "tag__tags": '["beta", "vip"]'}
    begin = start
    for number, (asked, answered) in enumerate(
        (
            ("Where is my order **1234**?", _ANSWER),
            ("¿Puedes repetirlo en español? Straße ПРИВЕТ 你好", "El pedido salió el lunes."),
            ("متى يصل طلبي؟", "يصل الطلب يوم الخميس 12:00 (order 1234)."),
            ("What is in this picture?", "A square.\n\n" + "It is grey and it does not move. " * 120),
            ("Pay it", ""),
        ),
        1,
    ):
        if number == 4:
            begin += 7200 * SECOND
        trace = 0xA100 + number
        failed = number == 5
        content: object = asked
        if number == 4:
            content = [
                {"type": "text", "text": asked},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
                {"type": "image_url", "image_url": {"url": "https://pictures.example/2.png"}},
            ]
        question: Messages = [
            {"role": "system", "content": "You are a *support* agent."},
            {"role": "user", "content": content},
        ]
        tool_call = {"id": "call_1", "function": {"name": "find_order", "arguments": '{"order": 1234}'}}
        calls: Messages = [
            {"role": "assistant", "tool_calls": [tool_call], "reasoning_content": "I need the order."}
        ]
        result = {
            "order": 1234,
            "steps": [{"at": "Mon", "what": "packed"}, {"at": "Tue", "what": "on its way"}],
        }
        history: Messages = [
            *question,
            *calls,
            {"role": "tool", "tool_call_id": "call_1", "content": json.dumps(result)},
        ]
        root = span(trace, trace * 16, start=begin, seconds=4, name="support turn", error=failed, **session)
        if failed:
            _fail(root, _STACK)
        yield message(
            root,
            _llm(trace, trace * 16 + 1, trace * 16, begin, 1.2, question, calls),
            span(
                trace,
                trace * 16 + 2,
                trace * 16,
                start=begin + 1_300_000_000,
                seconds=0.4,
                name="find_order",
                gen_ai__operation__name="execute_tool",
                gen_ai__tool__call__arguments='{"order": 1234}',
                gen_ai__tool__call__result=json.dumps(result),
            ),
            *(
                ()
                if failed
                else (
                    _llm(
                        trace,
                        trace * 16 + 3,
                        trace * 16,
                        begin + 2 * SECOND,
                        1.8,
                        history,
                        [{"role": "assistant", "content": answered}],
                    ),
                )
            ),
        )
        begin += 60 * SECOND


def hostile(start: int) -> Iterator[bytes]:
    """A trace for each hostile text, which stands in every field; and one with texts of a megabyte."""
    for number, text in enumerate((*HOSTILE, *_LARGE)):
        clean = text.encode(errors="replace").decode()
        short = clean[:2_000]
        trace = 0xBAD00 + number
        begin = start + number * 10 * SECOND
        named: dict[str, Any] = {
            "langfuse__trace__metadata__" + short[:200]: short,
            short[:500] or "x": clean,
        }
        root = span(
            trace,
            trace * 16,
            start=begin,
            name=short,
            error=True,
            session__id=HOSTILE_SESSION,
            user__id=short,
            tag__tags=json.dumps([short]),
            lmnr__span__input=clean,
            lmnr__span__output=clean,
            **named,
        )
        _fail(root, clean[:100_000])
        root.events.add(time_unix_nano=begin, name=short).attributes.add(
            key=short[:500]
        ).value.string_value = short
        messages: Messages = [
            {"role": short[:100], "content": clean},
            {"role": "user", "content": clean},
        ]
        yield message(
            root,
            _llm(
                trace,
                trace * 16 + 1,
                trace * 16,
                begin,
                0.5,
                messages,
                [
                    {
                        "role": "assistant",
                        "content": clean,
                        "tool_calls": [
                            {
                                "id": short[:100],
                                "function": {"name": short[:100], "arguments": json.dumps({short: short})},
                            }
                        ],
                    }
                ],
                model=short[:200] or "x",
                name=short,
            ),
            service=short[:200] or "x",
            resource={short[:200] or "x": short},
        )


def long_session(start: int) -> Iterator[bytes]:
    """More traces than come with the page."""
    for number in range(1, LONG_TRACES + 1):
        trace = 0xC0000 + number
        question: Messages = [{"role": "user", "content": f"Question number {number}?"}]
        answer: Messages = [{"role": "assistant", "content": f"Answer number {number}. Needle{number}."}]
        one = _llm(trace, trace * 16, 0, start + number * 20 * SECOND, 3, question, answer)
        one.attributes.add(key="session.id").value.string_value = LONG
        yield message(one)


def big_trace(start: int) -> Iterator[bytes]:
    """One trace with 10,000 spans: 100 steps with 99 spans below each, every hundredth of which failed."""
    spans = []
    root = 1
    for number in range(1, BIG_SPANS + 1):
        step = (number - 2) // 100 * 100 + 2
        parent = 0 if number == root else root if number == step else step
        begin = start + number * 1_000_000
        spans.append(
            span(
                BIG_TRACE,
                number,
                parent,
                start=begin,
                seconds=0.2 if number == step else 0.001,
                name=f"span {number}",
                error=number % 1000 == 0,
                session__id="big",
            )
        )
    for at in range(0, BIG_SPANS, 500):
        yield message(*spans[at : at + 500])


def everything() -> list[bytes]:
    """All of it, in the last hours."""
    now = time.time_ns()
    return [
        *rich(now - 3 * 3600 * SECOND),
        *hostile(now - 3600 * SECOND),
        *long_session(now - 3600 * SECOND),
        *big_trace(now - 600 * SECOND),
    ]


def _llm(
    trace: int,
    number: int,
    parent: int,
    start: int,
    seconds: float,
    asked: Messages,
    answered: Messages,
    model: str = "gpt-4o-mini",
    name: str = "chat gpt-4o-mini",
) -> Span:
    return llm(
        trace,
        number,
        parent,
        tokens=1200,
        start=start,
        seconds=seconds,
        name=name,
        gen_ai__response__model=model,
        gen_ai__input__messages=json.dumps(asked, ensure_ascii=False),
        gen_ai__output__messages=json.dumps(answered, ensure_ascii=False),
    )


def _fail(one: Span, stack: str) -> None:
    event = one.events.add(time_unix_nano=one.end_time_unix_nano, name="exception")
    for key, value in (
        ("type", "app.pay.CardDeclined"),
        ("message", "insufficient <funds>"),
        ("stacktrace", stack),
    ):
        event.attributes.add(key=f"exception.{key}").value.string_value = value
    one.status.message = "insufficient <funds>"
