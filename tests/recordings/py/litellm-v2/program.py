"""LiteLLM's newer OpenTelemetry callback: the session is what the caller gives as session_id in the metadata."""

from __future__ import annotations

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "true"  # no network
os.environ["LITELLM_OTEL_V2"] = "true"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"

import litellm
from litellm.integrations.otel.logger import OpenTelemetryV2
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

# What callbacks = ["otel"] makes with LITELLM_OTEL_V2, in a provider that the program can watch.
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
litellm.callbacks = [OpenTelemetryV2(tracer_provider=provider)]
turns = Turns(provider)


async def settle() -> None:
    """Let LiteLLM's callbacks, which run beside the call, write their spans."""
    for _ in range(20):
        await asyncio.sleep(0.02)


async def ask(session: str, said: str, model: str = "openai/gpt-4o-mini", **options: object) -> None:
    """One call, a trace of its own."""
    with turns.turn(session, said, fails="please fail" in said) as turn:
        messages = [{"role": "user", "content": said}]
        try:
            response = await litellm.acompletion(
                model=model, messages=messages, metadata={"session_id": session, "tags": ["beta"]}, **options
            )
            if options.get("stream"):
                response = litellm.stream_chunk_builder([chunk async for chunk in response])
            turn.answer = response.choices[0].message.content
        finally:
            await settle()


async def main() -> None:
    """Two sessions."""
    for said in ("Hello version two", "And again", "please fail"):
        await ask("litellm-v2-1", said)
    options = {"include_usage": True}
    await ask("litellm-v2-2", "a stream", stream=True, stream_options=options)
    await ask("litellm-v2-2", "a model of my own", model="openai/my-own-model")


asyncio.run(main())
provider.shutdown()
