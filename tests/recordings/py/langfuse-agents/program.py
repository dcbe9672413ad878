"""Langfuse's Python SDK: agents, tools, embeddings, a stream and a failed call, below spans that know the session."""

from __future__ import annotations

import os

os.environ["LANGFUSE_BASE_URL"] = os.environ["LANGFUSE_HOST"] = os.environ["RECORDING_OTLP"]
os.environ["LANGFUSE_PUBLIC_KEY"] = "pk-lf-stand-in"
os.environ["LANGFUSE_SECRET_KEY"] = "sk-lf-stand-in"

from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import OpenAI
from turns import Turns

langfuse = get_client()
turns = Turns()
client = OpenAI(max_retries=0)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}]


def ask(messages: list, **options: object) -> object:
    """One call."""
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **options)


@observe(as_type="tool")
def get_weather(city: str) -> str:
    """A tool."""
    return f"{city}: 20C"


@observe(as_type="agent")
def agent(said: str) -> str:
    """A tool call, then an answer."""
    messages: list = [{"role": "user", "content": said}]
    message = ask(messages, tools=TOOLS).choices[0].message
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls or []:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": get_weather("Berlin")})
    return ask(messages).choices[0].message.content


@observe(as_type="retriever")
def look_up(said: str) -> str:
    """An embedding, and around it one written by hand that repeats its usage."""
    with langfuse.start_as_current_observation(
        as_type="embedding", name="embed", model="text-embedding-3-small", input=said
    ) as embedding:
        answer = client.embeddings.create(model="text-embedding-3-small", input=said)
        embedding.update(usage_details={"input": answer.usage.prompt_tokens})
    return "Berlin has parks."


@observe()
def streamed(said: str) -> str:
    """A stream."""
    chunks = ask([{"role": "user", "content": said}], stream=True, stream_options={"include_usage": True})
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@observe()
def retrieved(said: str) -> str:
    """What was found stands before the question."""
    found = look_up(said)
    messages = [{"role": "system", "content": found}, {"role": "user", "content": said}]
    return ask(messages).choices[0].message.content


def turn(session: str, user: str, tags: list[str], said: str, handle: object) -> None:
    """A trace."""
    fails = "please fail" in said
    with turns.turn(session, said, user=user, tags=tags, fails=fails) as recorded:
        recorded.trace_id = langfuse.create_trace_id()
        with (
            langfuse.start_as_current_observation(name="turn", trace_context={"trace_id": recorded.trace_id}),
            propagate_attributes(session_id=session, user_id=user, tags=tags, metadata={"plan": "gold"}),
        ):
            recorded.answer = handle(said)


turn("lf-1", "pia", ["beta", "web"], "Hello Langfuse", streamed)
turn("lf-1", "pia", ["beta", "web"], "the weather in Berlin?", agent)
turn("lf-1", "pia", ["web"], "please fail", streamed)
turn("lf-2", "quinn", [], "Where are parks? 🌳", retrieved)
turn("lf-2", "quinn", [], "عربي", streamed)
langfuse.shutdown()
