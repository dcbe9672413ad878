"""Bedrock with OpenInference: sessions by `using_attributes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bedrock_app import CLAUDE, NOVA, App
from openinference.instrumentation import using_attributes
from openinference.instrumentation.bedrock import BedrockInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
BedrockInstrumentor().instrument(tracer_provider=provider)


@contextmanager
def labelled(session_id: str, user_id: str, tags: Sequence[str]) -> Iterator[None]:
    """OpenInference's way, below the program's own root."""
    with (
        using_attributes(session_id=session_id, user_id=user_id, tags=list(tags)),
        trace.get_tracer("shop").start_as_current_span("POST /chat"),
    ):
        yield


app = App(Turns(provider, details=["cache_read_tokens", "cache_write_tokens"]), labelled)
app.chat(
    "oi-1", "ada", ["Hello Bedrock", "weather in Berlin", "Grüße 🙂"], model=CLAUDE, tags=["beta", "web"]
)
app.chat("oi-2", "bob", ["a streamed one", "weather, streamed"], model=NOVA, stream=True)
app.chat("oi-2", "bob", ["please fail", "fail once and try again"], model=NOVA)
provider.shutdown()
