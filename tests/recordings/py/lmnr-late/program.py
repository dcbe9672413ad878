"""Laminar's Python SDK where the session comes late: after the first call, or on an inner span only."""

from __future__ import annotations

import os

from lmnr import Instruments, Laminar, observe
from openai import OpenAI, OpenAIError
from turns import Turns

endpoint = os.environ["RECORDING_OTLP"]
Laminar.initialize(
    project_api_key="stand-in",
    base_url="http://127.0.0.1",
    http_port=int(endpoint.rpartition(":")[2]),
    force_http=True,
    instruments={Instruments.OPENAI},
)
turns = Turns()
client = OpenAI(max_retries=0)


def ask(said: str) -> str:
    """One call."""
    messages = [{"role": "user", "content": said}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content


def trace_id() -> str:
    """The trace of the current span, from the SDK."""
    return Laminar.get_trace_id().hex


@observe()
def session_after_the_first_call(session: str, said: str) -> tuple[str, str]:
    """The session becomes known from what the model said."""
    ask(said)
    Laminar.set_trace_session_id(session)
    Laminar.set_trace_user_id("gus")
    Laminar.set_span_tags(["late"])
    return trace_id(), ask(f"{said}, once more")


@observe()
def session_on_an_inner_span(session: str, said: str) -> tuple[str, str]:
    """Only a span in the middle knows the session; its siblings and the root don't."""
    ask(said)
    with Laminar.start_as_current_span("with_session"):
        Laminar.set_trace_session_id(session)
        Laminar.set_trace_metadata({"channel": "web"})
    return trace_id(), ask("after it")


@observe(span_type="TOOL")
def get_weather(city: str) -> str:
    """A tool."""
    return f"{city}: 20C"


@observe()
def agent(session: str, said: str) -> tuple[str, str]:
    """An embedding, a tool call, a stream."""
    client.embeddings.create(model="text-embedding-3-small", input=said)
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]
    messages: list = [{"role": "user", "content": said}]
    first = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=tools)
    messages.append(first.choices[0].message.model_dump(exclude_none=True))
    for call in first.choices[0].message.tool_calls or []:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": get_weather("Berlin")})
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=messages, stream=True, stream_options={"include_usage": True}
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    Laminar.set_trace_session_id(session)
    return trace_id(), text


@observe()
def retry(session: str, said: str) -> tuple[str, str]:
    """The first call fails, its sibling does not."""
    try:
        ask(said)
    except OpenAIError:
        text = ask(said)
    Laminar.set_trace_session_id(session)
    return trace_id(), text


for session in ("late-1", "late-2"):
    user = "gus"
    for said in ("Who am I?", "Und jetzt?"):
        with turns.turn(session, said, user=user, tags=["late"]) as turn:
            turn.trace_id, turn.answer = session_after_the_first_call(session, f"{said}")
for said in ("inner one", "inner two"):
    with turns.turn("inner-1", said) as turn:
        turn.trace_id, turn.answer = session_on_an_inner_span("inner-1", said)
with turns.turn("inner-2", "the weather please") as turn:
    turn.trace_id, turn.answer = agent("inner-2", "the weather please")
with turns.turn("inner-2", "fail once", fails=True) as turn:
    turn.trace_id, turn.answer = retry("inner-2", "fail once")
Laminar.flush()
Laminar.shutdown()
