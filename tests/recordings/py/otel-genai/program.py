"""OpenTelemetry's newer instrumentations: OpenAI (also the Responses API) and the Agents SDK, content on spans."""

from __future__ import annotations

import asyncio
import os

os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "span_only"
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "0"

from openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

from agents import Agent, Runner, function_tool

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument()
OpenAIAgentsInstrumentor().instrument()
turns = Turns(provider)
tracer = trace.get_tracer("shop")
client = OpenAI(max_retries=0)


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


def responses(session: str, words: list[str], *, stream: bool) -> None:
    """The Responses API."""
    for said in words:
        with (
            turns.turn(session, said, user="rae", fails="please fail" in said) as turn,
            tracer.start_as_current_span("turn", attributes={"session.id": session, "user.id": "rae"}),
        ):
            if stream:
                with client.responses.create(model="gpt-4o-mini", input=said, stream=True) as events:
                    for event in events:
                        if event.type == "response.completed":
                            turn.answer = event.response.output_text
            else:
                turn.answer = client.responses.create(model="gpt-4o-mini", input=said).output_text


async def agents(session: str) -> None:
    """The Agents SDK."""
    agent = Agent(name="concierge", instructions="Be brief.", model="gpt-4o-mini", tools=[get_weather])
    for said in ("Hello genai", "the weather in Berlin?"):
        with (
            turns.turn(session, said) as turn,
            tracer.start_as_current_span("turn", attributes={"session.id": session}),
        ):
            turn.answer = (await Runner.run(agent, said)).final_output


responses("genai-1", ["Hello responses", "please fail"], stream=False)
responses("genai-2", ["a stream", "another stream"], stream=True)
asyncio.run(agents("genai-3"))
provider.shutdown()
