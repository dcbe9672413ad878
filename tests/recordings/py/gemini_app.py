"""One application for the recordings of google-genai's own client: conversations, a tool, streams, failed calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from google import genai
from google.genai import types
from google.genai.chats import Chat
from google.genai.errors import APIError
from opentelemetry import trace
from turns import Turns

MODEL = "gemini-2.5-flash"
CITY = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
CONFIG = types.GenerateContentConfig(
    system_instruction="Be brief.",
    thinking_config=types.ThinkingConfig(include_thoughts=True),
    tools=[types.Tool(function_declarations=[{"name": "get_weather", "parameters": CITY}])],
)


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city} 20C"


AUTOMATIC = types.GenerateContentConfig(system_instruction="Be brief.", tools=[get_weather])
"""google-genai calls the function by itself, and the model again with what it gave."""


class App:
    """Chats; `labelled(session, user, tags)` names the session by the SDK's own way."""

    def __init__(
        self, turns: Turns, labelled: Callable[[str, str, Sequence[str]], AbstractContextManager[object]]
    ) -> None:
        """Make a client, which does not retry by itself. Its instrumentation has to be there."""
        self._turns = turns
        self._labelled = labelled
        self._client = genai.Client()

    def chat(
        self,
        session: str,
        user: str,
        words: Sequence[str],
        *,
        stream: bool = False,
        tags: Sequence[str] = (),
    ) -> None:
        """A conversation of several turns, each a trace."""
        chat = self._client.chats.create(model=MODEL, config=CONFIG)
        ask = _streamed if stream else _whole
        for said in words:
            with (
                self._turns.turn(session, said, user=user, tags=tags, fails="fail" in said) as turn,
                self._labelled(session, user, tags),
            ):
                try:
                    turn.answer = _answer(chat, said, ask)
                except APIError:
                    if "fail once" not in said:
                        raise
                    turn.answer = _answer(chat, said, ask)

    def look_up(self, session: str, user: str, said: str) -> None:
        """One call outside a chat, with a picture beside the words."""
        picture = types.Part.from_bytes(data=b"no real picture", mime_type="image/png")
        with (
            self._turns.turn(session, f"{said}\n[image: image/png]", user=user) as turn,
            self._labelled(session, user, ()),
        ):
            turn.answer = self._client.models.generate_content(model=MODEL, contents=[said, picture]).text

    def automatic(self, session: str, user: str, said: str) -> None:
        """Functions called by google-genai itself, in a chat: each call of the model is one of `generate_content`."""
        chat = self._client.chats.create(model=MODEL, config=AUTOMATIC.model_copy(deep=True))
        with self._turns.turn(session, said, user=user) as turn, self._labelled(session, user, ()):
            turn.answer = chat.send_message(said).text

    def within(self, session: str, user: str, said: str, *, stream: bool = False) -> None:
        """The same outside a chat: one `generate_content` for both calls of the model, which answers with the last."""
        asked = {"model": MODEL, "contents": said, "config": AUTOMATIC.model_copy(deep=True)}
        with self._turns.turn(session, said, user=user) as turn, self._labelled(session, user, ()):
            # Only its own span and what the last call used are told.
            turn.calls_are_told, turn.unread_before = False, 1
            if stream:
                chunks = self._client.models.generate_content_stream(**asked)
                turn.answer = "".join(chunk.text or "" for chunk in chunks)
            else:
                turn.answer = self._client.models.generate_content(**asked).text

    def interact(self, session: str, user: str, words: Sequence[str], *, whole: bool) -> None:
        """A conversation that Google keeps: each turn is an interaction, fetched once more if it is no stream.

        `whole`: whether the SDK exports the text of a stream, and the usage of what worked in the background.
        """
        interactions = self._client.interactions
        last: dict[str, str] = {}
        for said in words:
            asked = {"model": MODEL, "input": said, **last}
            with self._turns.turn(session, said, user=user) as turn, self._labelled(session, user, ()):
                if "streamed" in said:
                    [first, *events] = interactions.create(**asked, stream=True)
                    found = first.interaction.id
                    text = "".join(event.delta.text for event in events if event.event_type == "step.delta")
                    turn.answer = text if whole else ""
                else:
                    in_background = "background" in said
                    found = interactions.create(**asked, background=in_background).id
                    turn.answer = interactions.get(found).output_text
                    turn.unread = int(in_background and not whole)
            last = {"previous_interaction_id": found}


def _answer(chat: Chat, said: str, ask: Callable[..., tuple[str, list]]) -> str:
    """Ask, call tools as long as the model wants them, and return the text."""
    asked: object = said
    while True:
        text, calls = ask(chat, asked)
        if not calls:
            return text
        asked = [_result(call) for call in calls]


def _result(call: types.FunctionCall) -> types.Part:
    with trace.get_tracer("shop").start_as_current_span("execute_tool get_weather") as span:
        span.set_attribute("gen_ai.operation.name", "execute_tool")
        span.set_attribute("gen_ai.tool.name", call.name)
    return types.Part.from_function_response(name=call.name, response={"result": "Berlin 20C"})


def _whole(chat: Chat, asked: object) -> tuple[str, list]:
    response = chat.send_message(asked)
    calls = response.function_calls or []
    return "" if calls else response.text, calls


def _streamed(chat: Chat, asked: object) -> tuple[str, list]:
    text, calls = "", []
    for chunk in chat.send_message_stream(asked):
        calls += chunk.function_calls or []
        text += "".join(part.text or "" for part in chunk.candidates[0].content.parts if not part.thought)
    return text, calls
