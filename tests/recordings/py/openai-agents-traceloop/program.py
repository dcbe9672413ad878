"""OpenAI's Agents SDK with OpenLLMetry's instrumentation of it, without its SDK."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

from openai_agents_app import App
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIAgentsInstrumentor(replace_existing_processors=True).instrument()
tracer = trace.get_tracer("concierge")


def labelled(session: str, user: str, tags: list[str]) -> AbstractContextManager[object]:
    """The program's own span names the session and the user."""
    if tags:
        raise ValueError("no tags")
    return tracer.start_as_current_span("turn", attributes={"session.id": session, "user.id": user})


turns = Turns(provider, details=["cache_read_tokens", "reasoning_tokens"])
# Of a call it reads the Responses API's answer alone (0.62.4, _hooks.py: `_end_generation_span`).
asyncio.run(App("tl-agents", turns, labelled, has_tags=False, chat_is_told=False).all())
provider.shutdown()
