"""Agents of OpenAI's SDK: a tool, a handoff, Responses API and chat, streams; the same for every instrumentation."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from openai import AsyncOpenAI
from turns import Turns

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    Model,
    OpenAIChatCompletionsModel,
    Runner,
    function_tool,
    trace,
)

Labelled = Callable[[str, str, list[str]], AbstractContextManager[object]]
"""How an instrumentation is told the session, the user and the tags of what happens inside."""


@function_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"{city}: 20C"


async def is_polite(_context: object, _agent: object, _input: object) -> GuardrailFunctionOutput:
    """Let everything pass."""
    return GuardrailFunctionOutput(output_info="polite", tripwire_triggered=False)


def agent(model: str | Model) -> Agent:
    """A concierge who asks the weather tool, and hands over to the refunds desk."""
    refunds = Agent(name="refunds", instructions="Give refunds.", model=model)
    return Agent(
        name="concierge",
        instructions="Answer briefly.",
        model=model,
        tools=[get_weather],
        handoffs=[refunds],
        input_guardrails=[InputGuardrail(is_polite)],
    )


@dataclass
class App:
    """The program, for one instrumentation."""

    name: str
    """What its sessions begin with."""
    turns: Turns
    labelled: Labelled
    has_tags: bool = True
    failed_stream_is_told: bool = False
    """Whether any span has the input of a streamed call that fails."""
    chat_is_told: bool = True
    """Whether any span has the answer and the usage of a call by the chat API."""

    def _tags(self, *tags: str) -> list[str]:
        return list(tags) if self.has_tags else []

    async def chat(
        self, session: str, user: str, tags: list[str], model: str | Model, words: list[str], *, stream: bool
    ) -> None:
        """A conversation: each turn carries the history of those before."""
        history: list = []
        for said in words:
            fails = "please fail" in said
            told = not fails or self.failed_stream_is_told
            with (
                self.turns.turn(session, said, user=user, tags=tags, fails=fails, said_is_told=told) as turn,
                self.labelled(session, user, tags),
            ):
                asked = [*history, {"role": "user", "content": said}]
                if stream:
                    result = Runner.run_streamed(agent(model), asked)
                    async for _event in result.stream_events():
                        pass
                else:
                    result = await Runner.run(agent(model), asked)
                turn.answer = result.final_output
                if isinstance(model, OpenAIChatCompletionsModel) and not self.chat_is_told:
                    turn.answer, turn.unread = "", len(result.raw_responses)
                history = result.to_input_list()

    async def workflow(self, session: str) -> None:
        """Two runs in one trace: the second is asked in other words than the person's."""
        said = "Compare Berlin and Rome"
        tags = self._tags("workflow")
        with (
            self.turns.turn(session, said, user="kim", tags=tags) as turn,
            self.labelled(session, "kim", tags),
            trace("Trip planner", group_id="made-up-group"),
        ):
            first = await Runner.run(Agent(name="drafter", model="gpt-4o-mini"), said)
            second = await Runner.run(Agent(name="editor", model="gpt-4o"), f"Shorten: {first.final_output}")
            turn.answer = second.final_output

    async def all(self) -> None:
        """Four sessions."""
        spoken = ["Hello agents 👋", "What is the weather in Berlin?", "ما هو الطقس؟"]
        tags = self._tags("responses", "beta")
        await self.chat(f"{self.name}-1", "ada", tags, "gpt-4o-mini", spoken, stream=False)
        spoken = ["Good morning", "And the weather now?", "please fail now", "refunds please"]
        await self.chat(f"{self.name}-2", "bob", [], "gpt-4o-mini", spoken, stream=True)
        model = OpenAIChatCompletionsModel("gpt-4o", AsyncOpenAI())
        spoken = ["Hi by chat", "weather by chat"]
        await self.chat(f"{self.name}-3", "cleo", self._tags("chat"), model, spoken, stream=False)
        await self.workflow(f"{self.name}-4")
