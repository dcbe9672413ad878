"""Graphs of LangGraph with OpenInference."""

from __future__ import annotations

from langgraph_app import App
from openinference.instrumentation import using_user
from openinference.instrumentation.langchain import LangChainInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
LangChainInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=["cache_read_tokens", "reasoning_tokens"])
# Of LangChain's metadata OpenInference reads the session alone.
App("lg-oi", turns, labelled=using_user).all()
provider.shutdown()
