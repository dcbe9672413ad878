"""Agents that work in a loop: each call of the model is given all that was said and returned before.

invoke_agent (AGENT)
├── chat (LLM)          2 kB of history
├── tool (TOOL)
├── chat (LLM)          10 kB
├── …
└── chat (LLM)          50 kB
"""

from __future__ import annotations

import json
from random import Random

from benchmarks.load import attributes
from benchmarks.load.attributes import Call
from benchmarks.load.texts import Texts
from benchmarks.load.turns import Conversation, LoadSpan, TurnUsage, new_trace

CALLS = 7
"""Calls of the model in a trace, with a tool between each two."""

SPANS = 2 * CALLS
"""Of a trace."""

HISTORY = 50_000
"""Characters of the history of the last call."""

_FIRST = 2_000  # characters of the first one


def agent_turn(
    conversation: Conversation, random: Random, texts: Texts, start: int
) -> tuple[list[LoadSpan], TurnUsage]:
    """Make one trace that starts at `start` (nanoseconds), and what is true of it."""
    trace = new_trace(random, start)
    root = trace.new_id()
    question = texts.text(_FIRST)
    history = [_said("system", texts.exactly(_FIRST)), _said("user", question)]
    answer = ""
    for number in range(CALLS):
        begun = trace.later(1, 3)
        trace.later(400, 4000)
        answer = texts.text(2_000)
        call = Call(
            provider=conversation.provider,
            model=conversation.model,
            input_tokens=500 + sum(map(len, map(str, history))) // 4,
            output_tokens=random.randint(20, 800),
            cache_read_tokens=0,
            question=question,
            answer=answer,
            session_id="",
        )
        trace.usage.count(call)
        span = attributes.llm(random, "gen_ai", call)
        span["gen_ai.input.messages"] = json.dumps(history, ensure_ascii=False)
        trace.add(f"chat {call.model}", span, start=begun, parent=root)
        if number == CALLS - 1:
            break
        begun = trace.later(1, 3)
        trace.later(5, 200)
        result = texts.exactly((HISTORY - _FIRST) // (CALLS - 1) - len(answer) // 2)
        tool = attributes.tool(random, "run_command", texts)
        tool["gen_ai.tool.call.result"] = result
        trace.usage.tool_calls += 1
        trace.add("execute_tool run_command", tool, start=begun, parent=root)
        history += [_said("assistant", answer[: len(answer) // 2]), _said("tool", result)]
    trace.later(1, 5)
    found = attributes.agent(random, question, answer, conversation.session_id, conversation.user_id)
    trace.add("invoke_agent coder", found, start=start, parent=b"", span_id=root)
    return trace.spans, trace.usage


def _said(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}
