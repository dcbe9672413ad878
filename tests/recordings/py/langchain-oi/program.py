"""LangChain and LangGraph with OpenInference."""

from __future__ import annotations

from contextlib import AbstractContextManager

from langchain_app import App
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider)


def labelled(session_id: str, user_id: str, tags: list[str]) -> AbstractContextManager[object]:
    """OpenInference's way."""
    return using_attributes(session_id=session_id, user_id=user_id, tags=tags)


app = App("oi", turns, labelled)
app.chains(tags=["beta", "web"])
app.streamed()
app.retrieval()
# For OpenInference a thread is the session, whatever `using_attributes` says.
app.agent(thread="oi-graph-1")
app.threads()
provider.shutdown()
