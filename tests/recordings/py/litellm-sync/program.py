"""LiteLLM's OpenTelemetry callback as one meets it first: `litellm.completion` below spans of the program's own.

With default settings LiteLLM writes the call onto that span from a thread of its own, too late where the span has
ended, and onto the same span for the next call. All that is sure is a child with the raw request and response.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # no network
import litellm
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turn, Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
litellm.callbacks = ["otel"]
litellm.num_retries = 0
turns = Turns(provider)
tracer = trace.get_tracer("shop")
MODEL = "openai/gpt-4o-mini"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


@contextmanager
def chat_span(session: str, said: str, user: str) -> Iterator[Turn]:
    """A turn with a root span that knows session and user."""
    named = {"session.id": session, "user.id": user}
    with (
        turns.turn(session, said, user=user) as turn,
        tracer.start_as_current_span("chat", attributes=named) as span,
    ):
        turn.trace_id = format(span.get_span_context().trace_id, "032x")
        yield turn


def ask(messages: list, **options: object) -> object:
    """One call; returns its message."""
    return litellm.completion(model=MODEL, messages=messages, **options).choices[0].message


def answer(session: str, said: str, user: str) -> None:
    """A turn of one call."""
    with chat_span(session, said, user) as turn:
        turn.answer = ask([{"role": "user", "content": said}]).content


def weather(session: str, city: str, user: str) -> None:
    """A turn of two calls: a tool call, then the answer."""
    said = f"weather in {city}"
    with chat_span(session, said, user) as turn:
        messages = [{"role": "user", "content": said}]
        message = ask(messages, tools=TOOLS)
        with tracer.start_as_current_span("get_weather", attributes={"openinference.span.kind": "TOOL"}):
            result = f"{city} 20C"
        messages.append(message.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": result})
        turn.answer = ask(messages, tools=TOOLS).content


def parent() -> dict:
    """The metadata that tell LiteLLM the span above a call. Without them a streamed call is a trace of its own, without
    a session, and an embedding tells its usage on the program's span only, or nowhere."""
    return {"litellm_parent_otel_span": trace.get_current_span()}


def stream(session: str, said: str, user: str) -> None:
    """A streamed turn."""
    messages = [{"role": "user", "content": said}]
    with chat_span(session, said, user) as turn:
        chunks = litellm.completion(
            model=MODEL,
            messages=messages,
            stream=True,
            stream_options={"include_usage": True},
            metadata=parent(),
        )
        turn.answer = litellm.stream_chunk_builder(list(chunks)).choices[0].message.content


def find(session: str, said: str, user: str) -> None:
    """A turn with an embedding and an answer."""
    with chat_span(session, said, user) as turn:
        litellm.embedding(model="openai/text-embedding-3-small", input=[said], metadata=parent())
        turn.answer = ask([{"role": "user", "content": said}]).content


answer("litellm-sync-1", "It's \"quoted\", isn't it?\n\\n 👩‍🚀 שלום", "ida")
weather("litellm-sync-1", "Berlin", "ida")
answer("litellm-sync-2", "Hello, sync", "jan")
weather("litellm-sync-2", "Łódź", "jan")
stream("litellm-sync-2", "a stream please", "jan")
find("litellm-sync-2", "find the manual", "jan")
time.sleep(2)  # LiteLLM writes its spans from threads beside the calls
provider.shutdown()
