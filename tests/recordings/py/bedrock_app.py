"""One application for the recordings of Bedrock's Converse: conversations, a tool, streams, failed calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from opentelemetry import trace
from turns import Turns

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "amazon.nova-lite-v1:0"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = {"tools": [{"toolSpec": {"name": "get_weather", "inputSchema": {"json": CITY}}}]}


class App:
    """Converses; `labelled(session, user, tags)` names the session by the SDK's own way."""

    def __init__(
        self, turns: Turns, labelled: Callable[[str, str, Sequence[str]], AbstractContextManager[object]]
    ) -> None:
        """Make a client that does not retry. Its instrumentation has to be there."""
        self._turns = turns
        self._labelled = labelled
        self._client = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))

    def chat(
        self,
        session: str,
        user: str,
        words: Sequence[str],
        *,
        model: str,
        stream: bool = False,
        tags: Sequence[str] = (),
        texts_are_told: bool = True,
    ) -> None:
        """A conversation of several turns, each a trace."""
        messages: list = []
        ask = self._streamed if stream else self._whole
        for said in words:
            with (
                self._turns.turn(
                    session, said, user=user, tags=tags, fails="fail" in said, said_is_told=texts_are_told
                ) as turn,
                self._labelled(session, user, tags),
            ):
                messages.append({"role": "user", "content": [{"text": said}]})
                try:
                    text = self._answer(messages, model, ask)
                except ClientError:
                    if "fail once" not in said:
                        messages.pop()
                        raise
                    text = self._answer(messages, model, ask)
                if texts_are_told:
                    turn.answer = text

    def _answer(self, messages: list, model: str, ask: Callable[..., dict]) -> str:
        """Ask, call tools as long as the model wants them, and return the text. The messages grow."""
        while True:
            system = [{"text": "Be brief."}]
            message = ask(modelId=model, system=system, messages=messages, toolConfig=TOOLS)
            messages.append(message)
            used = [block["toolUse"] for block in message["content"] if "toolUse" in block]
            if not used:
                return "".join(block["text"] for block in message["content"])
            messages.append({"role": "user", "content": [self._result(use) for use in used]})

    def _result(self, use: dict) -> dict:
        with trace.get_tracer("shop").start_as_current_span("execute_tool get_weather") as span:
            span.set_attribute("gen_ai.operation.name", "execute_tool")
            span.set_attribute("gen_ai.tool.name", use["name"])
        result = {"toolUseId": use["toolUseId"], "content": [{"text": "Berlin 20C"}]}
        return {"toolResult": result}

    def _whole(self, **asked: object) -> dict:
        return self._client.converse(**asked)["output"]["message"]

    def _streamed(self, **asked: object) -> dict:
        text, use, arguments = "", None, ""
        for event in self._client.converse_stream(**asked)["stream"]:
            if "contentBlockStart" in event:
                use = event["contentBlockStart"]["start"]["toolUse"]
            delta = event.get("contentBlockDelta", {}).get("delta", {})
            text += delta.get("text", "")
            arguments += delta.get("toolUse", {}).get("input", "")
        called = {"toolUse": {**use, "input": {"city": "Berlin"}}} if use and arguments else None
        return {"role": "assistant", "content": [called or {"text": text}]}
