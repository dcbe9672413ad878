"""google-genai's client with OpenTelemetry's own instrumentation, newest conventions, content on spans.

The session is what its documentation gives for attributes of one's own: a value in the context, which goes onto each
call.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_and_event"

from gemini_app import App
from opentelemetry import context, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.google_genai import (
    GENERATE_CONTENT_EXTRA_ATTRIBUTES_CONTEXT_KEY,
    GoogleGenAiSdkInstrumentor,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
GoogleGenAiSdkInstrumentor().instrument()


@contextmanager
def labelled(session_id: str, user_id: str, tags: Sequence[str]) -> Iterator[None]:  # noqa: ARG001
    """Attributes of each call, below the program's own root, which has none of them."""
    extra = {"gen_ai.conversation.id": session_id, "user.id": user_id}
    with trace.get_tracer("shop").start_as_current_span("POST /chat"):
        token = context.attach(context.set_value(GENERATE_CONTENT_EXTRA_ATTRIBUTES_CONTEXT_KEY, extra))
        try:
            yield
        finally:
            context.detach(token)


@contextmanager
def on_root(session_id: str, user_id: str, tags: Sequence[str]) -> Iterator[None]:  # noqa: ARG001
    """Attributes of the program's own root: calls of the interactions' API take none from the context."""
    with trace.get_tracer("shop").start_as_current_span("POST /chat") as span:
        span.set_attributes({"session.id": session_id, "user.id": user_id})
        yield


turns = Turns(provider, details=["cache_read_tokens", "reasoning_tokens"])
app = App(turns, labelled)
app.chat("otel-gemini-1", "ada", ["Hello Gemini", "weather in Berlin", "Grüße 🙂"])
app.chat("otel-gemini-2", "bob", ["a streamed one", "weather, streamed"], stream=True)
app.chat("otel-gemini-2", "bob", ["please fail", "fail once and try again"])
app.look_up("otel-gemini-2", "bob", "What is in this picture?")
app.automatic("otel-gemini-3", "cyd", "weather by a function")
app.within("otel-gemini-3", "cyd", "weather within one call")
app.within("otel-gemini-3", "cyd", "weather within one stream", stream=True)
kept = App(turns, on_root)
kept.interact("otel-gemini-4", "dee", ["Hello, fetch it", "a streamed one", "in the background"], whole=False)
provider.shutdown()
logs.shutdown()
