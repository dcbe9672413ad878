"""LangChain and LangGraph with OpenInference."""

from __future__ import annotations

from contextlib import AbstractContextManager

from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import langchain_app
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider)


def labelled(session_id: str, user_id: str, tags: list[str]) -> AbstractContextManager[object]:
    """OpenInference's way."""
    return using_attributes(session_id=session_id, user_id=user_id, tags=tags)


langchain_app.chains(turns, labelled, tags=["beta", "web"])
langchain_app.streamed(turns)
langchain_app.retrieval(turns, labelled)
# For OpenInference a thread is the session, whatever `using_attributes` says.
langchain_app.agent(turns, labelled, thread="graph-1")
langchain_app.threads(turns, "graph-2")
provider.shutdown()
