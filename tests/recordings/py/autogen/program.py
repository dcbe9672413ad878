"""AutoGen with its own spans, and OpenTelemetry's instrumentation of OpenAI beside it for the calls.

AutoGen's spans know no session, texts or usage: the program names the session on a span of its own around each turn.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"

from autogen_app import App
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()


@contextmanager
def labelled(session: str, user: str) -> Iterator[None]:
    """The program's root."""
    attributes = {"session.id": session, "user.id": user}
    with trace.get_tracer("shop").start_as_current_span("chat turn", attributes=attributes):
        yield


async def main() -> None:
    """Four sessions."""
    app = App(Turns(provider, details=[]), labelled)
    await app.chat("ag-1", "ada", ["Hello AutoGen", "weather in Berlin", "Grüße 🙂", "please fail"])
    await app.chat("ag-2", "bob", ["a streamed one", "weather, streamed"], stream=True)
    await app.team("ag-3", "cyd", ["Write about parks", "and about lakes"])
    await app.team("ag-4", "dan", ["Write about roads"], stream=True)


asyncio.run(main())
provider.shutdown()
