"""What applications write on their spans: about fifteen attributes each, in three conventions' words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from random import Random

from benchmarks.load.texts import Texts

Value = str | int | float | bool
Attributes = dict[str, Value]

_SYSTEM = "You are the assistant of an online shop. Answer in the language of the question. " * 6


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a model; `cache_read_tokens` are part of `input_tokens`, `session_id` may be empty."""

    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    question: str
    answer: str
    session_id: str


def llm(random: Random, style: str, call: Call) -> Attributes:
    """An LLM span in the words of `style`: gen_ai, openinference or traceloop."""
    found = _STYLES[style](random, call)
    if call.session_id:
        found[_SESSION_KEYS[style]] = call.session_id
    return found


def _gen_ai(random: Random, call: Call) -> Attributes:
    messages = [_message("system", _SYSTEM), _message("user", call.question)]
    found: Attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": call.provider,
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model,
        "gen_ai.response.id": f"resp-{random.getrandbits(64):016x}",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 2048,
        "gen_ai.response.finish_reasons": '["stop"]',
        "gen_ai.usage.input_tokens": call.input_tokens,
        "gen_ai.usage.output_tokens": call.output_tokens,
        "gen_ai.input.messages": json.dumps(messages, ensure_ascii=False),
        "gen_ai.output.messages": json.dumps([_message("assistant", call.answer)], ensure_ascii=False),
        "server.address": f"api.{call.provider}.com",
        "server.port": 443,
        **_code(random, "client.chat"),
    }
    if call.cache_read_tokens:
        found["gen_ai.usage.cache_read.input_tokens"] = call.cache_read_tokens
    return found


def _message(role: str, text: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def _openinference(random: Random, call: Call) -> Attributes:
    parameters = {"temperature": 0.2, "max_tokens": 2048, "seed": random.randrange(1000)}
    found: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.provider": call.provider,
        "llm.model_name": call.model,
        "llm.invocation_parameters": json.dumps(parameters),
        "llm.token_count.prompt": call.input_tokens,
        "llm.token_count.completion": call.output_tokens,
        "llm.token_count.total": call.input_tokens + call.output_tokens,
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": _SYSTEM,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": call.question,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": call.answer,
        "input.mime_type": "application/json",
        "output.mime_type": "application/json",
        "output.value": json.dumps({"id": f"{random.getrandbits(64):016x}", "content": call.answer}),
    }
    if call.cache_read_tokens:
        found["llm.token_count.prompt_details.cache_read"] = call.cache_read_tokens
    return found


def _traceloop(random: Random, call: Call) -> Attributes:
    found: Attributes = {
        "llm.request.type": "chat",
        "gen_ai.system": call.provider,
        "gen_ai.request.model": call.model,
        "gen_ai.response.model": call.model,
        "gen_ai.response.id": f"resp-{random.getrandbits(64):016x}",
        "gen_ai.usage.prompt_tokens": call.input_tokens,
        "gen_ai.usage.completion_tokens": call.output_tokens,
        "llm.usage.total_tokens": call.input_tokens + call.output_tokens,
        "llm.is_streaming": False,
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": _SYSTEM,
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": call.question,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": call.answer,
        "gen_ai.completion.0.finish_reason": "stop",
    }
    if call.cache_read_tokens:
        found["gen_ai.usage.cache_read_input_tokens"] = call.cache_read_tokens
    return found


_STYLES = {"gen_ai": _gen_ai, "openinference": _openinference, "traceloop": _traceloop}
_SESSION_KEYS = {
    "gen_ai": "gen_ai.conversation.id",
    "openinference": "session.id",
    "traceloop": "traceloop.association.properties.session_id",
}


def agent(random: Random, question: str, answer: str, session_id: str, user_id: str) -> Attributes:
    """The root of a trace; `session_id` may be empty."""
    found: Attributes = {
        "openinference.span.kind": "AGENT",
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "assistant",
        "gen_ai.agent.id": "asst_5j66UpCpwteGg4YSxUnt7lPY",
        "user.id": user_id,
        "input.value": json.dumps({"question": question}, ensure_ascii=False),
        "input.mime_type": "application/json",
        "output.value": answer,
        "http.request.method": "POST",
        "http.route": "/v1/chat",
        "client.address": f"10.0.{random.randrange(256)}.{random.randrange(256)}",
        "metadata": json.dumps({"channel": random.choice(("web", "app", "mail")), "experiment": "b"}),
        **_code(random, "agent.answer"),
    }
    if random.random() < 0.3:
        found["tag.tags"] = json.dumps([random.choice(("beta", "vip", "prüfung")), "shop"])
    if session_id:
        found["session.id"] = session_id
    return found


def chain(random: Random, texts: Texts) -> Attributes:
    """A step of a workflow."""
    return {
        "traceloop.span.kind": "task",
        "traceloop.workflow.name": "answer",
        "traceloop.entity.name": "plan",
        "traceloop.entity.path": "answer.plan",
        "traceloop.entity.version": 3,
        "traceloop.entity.input": json.dumps({"args": [], "kwargs": {"state": texts.text()}}),
        "traceloop.entity.output": json.dumps({"steps": ["search", "tool", "answer"]}),
        **_code(random, "agent.plan"),
    }


def retriever(random: Random, texts: Texts, question: str) -> Attributes:
    """A search for documents."""
    found: Attributes = {
        "openinference.span.kind": "RETRIEVER",
        "input.value": question,
        "input.mime_type": "text/plain",
        **_code(random, "search.documents"),
    }
    for index in range(3):
        document = f"retrieval.documents.{index}.document"
        found[f"{document}.id"] = f"doc-{random.randrange(10_000)}"
        found[f"{document}.content"] = texts.text(2_000)
        found[f"{document}.score"] = random.random()
    return found


def tool(random: Random, name: str, texts: Texts) -> Attributes:
    """A call of a tool."""
    return {
        "openinference.span.kind": "TOOL",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": name,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": f"call_{random.getrandbits(96):024x}",
        "gen_ai.tool.description": f"{name}: looks up what the shop knows and returns it as JSON",
        "gen_ai.tool.call.arguments": json.dumps({"id": random.randrange(10**6), "verbose": True}),
        "gen_ai.tool.call.result": json.dumps({"status": "ok", "result": texts.text()}, ensure_ascii=False),
        "retry.count": 0,
        "cache.hit": random.random() < 0.5,
        **_code(random, f"tools.{name}"),
    }


def http(random: Random, method: str, host: str) -> Attributes:
    """A plain client span of a web request."""
    return {
        "http.request.method": method,
        "url.full": f"https://{host}/v2/search?page={random.randrange(9)}&id={random.getrandbits(48):012x}",
        "url.scheme": "https",
        "http.response.status_code": 200,
        "http.response.body.size": random.randrange(200, 90_000),
        "network.protocol.version": "1.1",
        "network.peer.address": f"10.1.{random.randrange(4)}.{random.randrange(256)}",
        "network.peer.port": 443,
        "server.address": host,
        "server.port": 443,
        "user_agent.original": "python-httpx/0.28.1",
        **_code(random, "httpx.send"),
    }


def database(random: Random) -> Attributes:
    """A plain client span of a database query."""
    return {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.operation.name": "SELECT",
        "db.collection.name": "orders",
        "db.query.text": "SELECT id, state, total FROM orders WHERE customer = $1 ORDER BY created DESC",
        "db.query.parameter.0": str(random.randrange(10**7)),
        "db.response.returned_rows": random.randrange(20),
        "db.client.connection.pool.name": "shop-ro",
        "network.peer.address": "10.1.9.7",
        "network.peer.port": 5432,
        "server.address": "db.internal",
        "server.port": 5432,
        **_code(random, "psycopg.execute"),
    }


@cache
def _place(function: str) -> Attributes:
    module = function.partition(".")[0]
    return {
        "code.function.name": function,
        "code.file.path": f"/srv/app/assistant/{module}.py",
        "code.line.number": 40 + len(function),
    }


def _code(random: Random, function: str) -> Attributes:
    """Where in the code, and on which of a few threads."""
    thread = random.randrange(8)
    return {**_place(function), "thread.id": 140_000 + thread, "thread.name": f"worker-{thread}"}
