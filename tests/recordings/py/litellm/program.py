"""LiteLLM's OpenTelemetry callback, below root spans of the program's own that name the session.

Below a span LiteLLM by default makes none of its own, but writes the call's attributes on that span, and the
provider's raw request and response in a child of it. With USE_OTEL_LITELLM_REQUEST_SPAN each call is a span.
"""

from __future__ import annotations

import asyncio
import os
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
def chat_span(session: str, said: str, *, user: str, fails: bool = False) -> Iterator[Turn]:
    """A turn with a root span that knows session and user."""
    named = {"session.id": session, "user.id": user}
    with (
        turns.turn(session, said, user=user, fails=fails) as turn,
        tracer.start_as_current_span("chat", attributes=named),
    ):
        yield turn


async def settle() -> None:
    """Let LiteLLM's callbacks, which run beside the call, write their spans."""
    for _ in range(20):
        await asyncio.sleep(0.02)


def user_message(said: str) -> list:
    """The messages of a first call."""
    return [{"role": "user", "content": said}]


async def ask(messages: list, **options: object) -> object:
    """One call; returns its message. Its span is written before it returns."""
    response = await litellm.acompletion(model=MODEL, messages=messages, **options)
    if options.get("stream"):
        chunks = [chunk async for chunk in response]
        response = litellm.stream_chunk_builder(chunks)
    await settle()
    return response.choices[0].message


async def shallow(session: str) -> None:
    """One call a trace, on the program's own span."""
    for said in ("Hello LiteLLM", "¿Qué tal?"):
        with chat_span(session, said, user="joe") as turn:
            turn.answer = (await ask(user_message(said))).content


async def agent(session: str) -> None:
    """Spans of their own: a tool call, a stream, a failed call, a retry, an embedding."""
    said = "weather in Berlin"
    with chat_span(session, said, user="kay") as turn:
        messages = user_message(said)
        message = await ask(messages, tools=TOOLS)
        messages.append(message.model_dump(exclude_none=True))
        messages.append({"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "Berlin 20C"})
        turn.answer = (await ask(messages, tools=TOOLS)).content
    said = "a stream please"
    with chat_span(session, said, user="kay") as turn:
        turn.answer = (
            await ask(user_message(said), stream=True, stream_options={"include_usage": True})
        ).content
    said = "please fail"
    with chat_span(session, said, user="kay", fails=True) as turn:
        try:
            await ask(user_message(said))
        finally:
            await settle()
    said = "fail once, then answer"
    with chat_span(session, said, user="kay", fails=True) as turn:
        try:
            await ask(user_message(said))
        except litellm.InternalServerError:
            await settle()
        turn.answer = (await ask(user_message(said))).content
    said = "find the manual"
    with chat_span(session, said, user="kay") as turn:
        await litellm.aembedding(model="openai/text-embedding-3-small", input=[said])
        await settle()
        turn.answer = (await ask(user_message(said), user="kay")).content


async def main() -> None:
    """Two sessions."""
    await shallow("litellm-1")
    os.environ["USE_OTEL_LITELLM_REQUEST_SPAN"] = "true"
    await agent("litellm-2")


asyncio.run(main())
provider.shutdown()
