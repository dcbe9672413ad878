"""Graphs of LangGraph with OpenLLMetry's instrumentations of LangChain and of OpenAI, without its SDK."""

from __future__ import annotations

from langgraph_app import App
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.langchain import LangchainInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
LangchainInstrumentor().instrument()
OpenAIInstrumentor().instrument()
App("lg-tl", Turns(provider, details=["cache_read_tokens"])).all()
provider.shutdown()
