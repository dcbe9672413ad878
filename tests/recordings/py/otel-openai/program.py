"""OpenTelemetry's own instrumentation of OpenAI, newest conventions, content on spans and in events."""

from __future__ import annotations

import os

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_and_event"

from openai import OpenAI, OpenAIError
from opentelemetry import trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
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
OpenAIInstrumentor().instrument()
turns = Turns(provider)
tracer = trace.get_tracer("shop")
client = OpenAI(max_retries=0)

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def answer(messages: list, *, stream: bool) -> str:
    """Ask, call tools as long as the model wants them, and return the text. The messages grow."""
    while True:
        asked = {"model": "gpt-4o-mini", "messages": messages, "tools": TOOLS}
        if stream:
            options = {"include_usage": True}
            chunks = list(client.chat.completions.create(**asked, stream=True, stream_options=options))
            deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
            text = "".join(delta.content or "" for delta in deltas)
            messages.append({"role": "assistant", "content": text})
            return text
        message = client.chat.completions.create(**asked).choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return message.content
        for call in message.tool_calls:
            with tracer.start_as_current_span("execute_tool get_weather") as span:
                span.set_attribute("gen_ai.operation.name", "execute_tool")
                span.set_attribute("gen_ai.tool.call.arguments", call.function.arguments)
                span.set_attribute("gen_ai.tool.call.result", "Berlin 20C")
            messages.append({"role": "tool", "tool_call_id": call.id, "content": "Berlin 20C"})


def chat(session: str, user: str, words: list[str], *, key: str, stream: bool = False) -> None:
    """A conversation, each turn a trace whose root names the session."""
    messages: list = [{"role": "system", "content": "Be brief."}]
    for said in words:
        with (
            turns.turn(session, said, user=user, fails="fail" in said) as turn,
            tracer.start_as_current_span("POST /chat", attributes={key: session, "user.id": user}),
        ):
            messages.append({"role": "user", "content": said})
            try:
                turn.answer = answer(messages, stream=stream)
            except OpenAIError:
                if "fail once" not in said:
                    raise
                turn.answer = answer(messages, stream=stream)


def look_up(session: str, said: str) -> None:
    """Embed a question, then answer it from parts: an embedding and a call side by side."""
    with (
        turns.turn(session, said, user="eve") as turn,
        tracer.start_as_current_span("POST /search", attributes={"session.id": session, "user.id": "eve"}),
    ):
        client.embeddings.create(model="text-embedding-3-small", input=said)
        image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
        parts = [{"type": "text", "text": said}, image] if "picture" in said else said
        turn.answer = answer([{"role": "user", "content": parts}], stream=False)


chat("otel-1", "dan", ["Hello OpenTelemetry", "weather in Berlin", "Grüße 🙂"], key="session.id")
chat("otel-2", "eve", ["a streamed one", "another streamed one"], key="gen_ai.conversation.id", stream=True)
chat("otel-3", "fay", ["please fail", "fail once and try again"], key="session.id")
look_up("otel-4", "find the manual")
provider.shutdown()
logs.shutdown()
