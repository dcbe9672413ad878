"""google-genai's client with OpenInference: sessions by `using_attributes`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gemini_app import App
from openinference.instrumentation import using_attributes
from openinference.instrumentation.google_genai import GoogleGenAIInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
GoogleGenAIInstrumentor().instrument(tracer_provider=provider)


@contextmanager
def labelled(session_id: str, user_id: str, tags: Sequence[str]) -> Iterator[None]:
    """OpenInference's way, below the program's own root, which has none of it."""
    with (
        trace.get_tracer("shop").start_as_current_span("POST /chat"),
        using_attributes(session_id=session_id, user_id=user_id, tags=list(tags)),
    ):
        yield


app = App(Turns(provider, details=["cache_read_tokens", "reasoning_tokens"]), labelled)
app.chat("oi-gemini-1", "ada", ["Hello Gemini", "weather in Berlin", "Grüße 🙂"], tags=["beta", "web"])
app.chat("oi-gemini-2", "bob", ["a streamed one", "weather, streamed"], stream=True)
app.chat("oi-gemini-2", "bob", ["please fail", "fail once and try again"])
app.look_up("oi-gemini-2", "bob", "What is in this picture?")
app.automatic("oi-gemini-3", "cyd", "weather by a function")
app.within("oi-gemini-3", "cyd", "weather within one call")
app.within("oi-gemini-3", "cyd", "weather within one stream", stream=True)
# Of interactions it doesn't tell how much was reasoned.
kept = App(Turns(provider, details=["cache_read_tokens"]), labelled)
kept.interact("oi-gemini-4", "dee", ["Hello, fetch it", "a streamed one", "in the background"], whole=True)
provider.shutdown()
