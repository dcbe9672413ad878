"""Bedrock with OpenTelemetry's own instrumentation of botocore.

The session and the user are baggage that a processor copies onto each span, as Amazon documents it for AgentCore. The
texts are in log events alone: no span has them.
"""

from __future__ import annotations

import os

os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bedrock_app import CLAUDE, NOVA, App
from opentelemetry import baggage, context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.processor.baggage import ALLOW_ALL_BAGGAGE_KEYS, BaggageSpanProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BaggageSpanProcessor(ALLOW_ALL_BAGGAGE_KEYS))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
BotocoreInstrumentor().instrument()


@contextmanager
def labelled(session_id: str, user_id: str, tags: Sequence[str]) -> Iterator[None]:  # noqa: ARG001
    """The session as baggage, and the program's root."""
    token = context.attach(
        baggage.set_baggage("user.id", user_id, baggage.set_baggage("session.id", session_id))
    )
    try:
        with trace.get_tracer("shop").start_as_current_span("POST /invocations"):
            yield
    finally:
        context.detach(token)


app = App(Turns(provider, details=["cache_read_tokens", "cache_write_tokens"]), labelled)
app.chat(
    "bedrock-1", "ada", ["Hello Bedrock", "weather in Berlin", "Grüße 🙂"], model=CLAUDE, texts_are_told=False
)
app.chat(
    "bedrock-2", "bob", ["a streamed one", "weather, streamed"], model=NOVA, stream=True, texts_are_told=False
)
app.chat("bedrock-2", "bob", ["please fail", "fail once and try again"], model=NOVA, texts_are_told=False)
provider.shutdown()
