"""Haystack under OpenInference: a pipeline with a template, an agent with a tool; sessions by `using_attributes`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.tools import tool
from openinference.instrumentation import using_attributes
from openinference.instrumentation.haystack import HaystackInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from turns import Turns

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
HaystackInstrumentor().instrument(tracer_provider=provider)
turns = Turns(provider, details=[])


@tool
def get_weather(city: Annotated[str, "the city"]) -> str:
    """Return the weather of a city."""
    return f"{city} 20C"


def model() -> OpenAIChatGenerator:
    """The model, which is not asked again where it fails."""
    return OpenAIChatGenerator(model="gpt-4o-mini", max_retries=0)


template = [
    ChatMessage.from_system("Be brief."),
    ChatMessage.from_user("Berlin has parks.\nQuestion: {{question}}"),
]
pipeline = Pipeline()
pipeline.add_component("prompt", ChatPromptBuilder(template=template, required_variables="*"))
pipeline.add_component("model", model())
pipeline.connect("prompt.prompt", "model.messages")

helper = Pipeline()
helper.add_component("agent", Agent(chat_generator=model(), tools=[get_weather], system_prompt="Be brief."))


def piped(said: str) -> str:
    """Ask by the template."""
    return pipeline.run({"prompt": {"question": said}})["model"]["replies"][0].text


def asked_agent(said: str) -> str:
    """Ask the agent."""
    return helper.run({"agent": {"messages": [ChatMessage.from_user(said)]}})["agent"]["last_message"].text


def chat(
    session: str, user: str, words: Sequence[str], ask: Callable[[str], str], tags: Sequence[str] = ()
) -> None:
    """A conversation, each turn a trace."""
    for said in words:
        with (
            turns.turn(session, said, user=user, tags=tags, fails="fail" in said) as turn,
            using_attributes(session_id=session, user_id=user, tags=list(tags)),
        ):
            turn.answer = ask(said)


chat("haystack-1", "ada", ["Where are parks?", "And where else? 🙂"], piped, tags=["beta", "web"])
chat("haystack-2", "bob", ["Hello agent", "weather in Rome", "please fail"], asked_agent)
provider.shutdown()
