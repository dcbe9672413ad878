"""Pipecat under OpenInference's instrumentation alone: each turn is a trace; the session is the `conversation_id`.

Its spans are current nowhere: those of Anthropic's SDK would be traces of their own, and are switched off. No span says
that a call failed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence

os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"

from openinference.instrumentation.pipecat import PipecatInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from pipecat.services.anthropic.llm import AnthropicLLMService
from pipecat.services.llm_service import LLMService
from pipecat_app import Bot, claude, openai
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
PipecatInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=["cache_read_tokens", "reasoning_tokens"])


async def converse(
    session: str, words: Sequence[str], llm: LLMService, user: str | None = None, **named: object
) -> None:
    """A conversation. Its first turn begins with the pipeline, each other one when the person speaks."""
    bot = Bot(llm, conversation_id=session, **named)
    for number, said in enumerate(words):
        with turns.turn(session, said, user=user) as turn:
            if not number:
                await bot.start()
            turn.answer = await bot.hear(said)
            # The usage of an answer by Claude comes after the end of it, and of its span.
            turn.unread = isinstance(llm, AnthropicLLMService) * (2 if "weather" in said else 1)
    await bot.end()


async def main() -> None:
    """Three sessions."""
    await converse("pc-oi-1", ["Hello Pipecat", "weather in Berlin", "Grüße 🙂"], openai())
    named = {"user.id": "bob"}
    await converse(
        "pc-oi-2", ["First of few", "and the last"], openai(), "bob", additional_span_attributes=named
    )
    await converse("pc-oi-3", ["Hello Claude", "the weather?"], claude())


asyncio.run(main())
provider.shutdown()
