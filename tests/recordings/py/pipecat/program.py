"""Pipecat with its own spans: each conversation is one trace with all its turns.

The session is what Pipecat's documentation names: the `conversation_id` of a pipeline, or attributes that a program
gives its conversation's span.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pipecat.services.llm_service import LLMService
from pipecat_app import Bot, claude, openai
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
turns = Turns(provider, details=["cache_read_tokens", "cache_write_tokens", "reasoning_tokens"])


async def converse(
    session: str, words: Sequence[str], llm: LLMService, user: str | None = None, **named: object
) -> None:
    """A conversation: its first words are what was asked, its last answer is what was answered."""
    with turns.turn(session, words[0], user=user, fails="please fail" in words) as turn:
        bot = Bot(llm, enable_tracing=True, **named)
        await bot.start()
        for said in words:
            turn.answer = await bot.hear(said) or turn.answer
        await bot.end()


async def main() -> None:
    """Three sessions."""
    words = ["Hello Pipecat", "weather in Berlin", "Grüße 🙂"]
    await converse("pc-1", words, openai(), conversation_id="pc-1")
    await converse("pc-1", ["Back again"], openai(), conversation_id="pc-1")
    named = {"session.id": "pc-2", "user.id": "bob"}
    words = ["First of few", "please fail"]
    await converse("pc-2", words, openai(), "bob", additional_span_attributes=named)
    await converse("pc-3", ["Hello Claude", "the weather?"], claude(), conversation_id="pc-3")


asyncio.run(main())
provider.shutdown()
