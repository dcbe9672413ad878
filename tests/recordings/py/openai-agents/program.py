"""OpenAI's Agents SDK with OpenInference."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

from openai_agents_app import App
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)


def labelled(session: str, user: str, tags: list[str]) -> AbstractContextManager[object]:
    """OpenInference's way."""
    return using_attributes(session_id=session, user_id=user, tags=tags, metadata={"plan": "gold"})


asyncio.run(App("agents", Turns(provider), labelled).all())
provider.shutdown()
