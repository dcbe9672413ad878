"""Gemini's interactions: asked for by POST, and fetched again by GET.

Usage is that of `gemini.py` under other names, `total_thought_tokens` beside `total_output_tokens`, and without a
cache: nobody has seen yet how that is counted here. What works in the background answers at once that it is in
progress, without usage; it is ready when it is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.recordings.llm_server.calls import Asked, Call, Json, Usage
from tests.recordings.llm_server.google.gemini import Gemini
from tests.recordings.llm_server.messages import events, pieces, text_of


class Interactions:
    """POST and GET /v1beta/interactions[/ID]; only words are asked and answered."""

    def serves(self, path: str) -> bool:
        """See `Api`."""
        return path.endswith("/interactions")

    def asked(self, path: str, query: str, body: Json) -> Asked:  # noqa: ARG002
        """See `Api`."""
        return Asked(
            body["model"], text_of(body["input"]), user_is_last=True, stream=bool(body.get("stream"))
        )

    def usage(self, n: int) -> Usage:
        """See `Api`."""
        return replace(Gemini().usage(n), cache_read_tokens=0)

    def whole(self, call: Call, body: Json) -> Json:
        """See `Api`."""
        if body.get("background"):
            return _begun(call)
        steps = [_THOUGHT, {"type": "model_output", "content": [{"type": "text", "text": call.answer}]}]
        return _begun(call) | {"status": "completed", "steps": steps, "usage": _usage(call)}

    def frames(self, call: Call, query: str, body: Json) -> Iterator[bytes]:  # noqa: ARG002
        """See `Api`."""
        deltas = [{"type": "text", "text": piece} for piece in pieces(call.answer)]
        completed = _begun(call) | {"status": "completed", "usage": _usage(call)}
        told: list[tuple[str, Json]] = [
            ("interaction.created", {"interaction": _begun(call)}),
            ("step.start", {"index": 0, "step": {"type": "model_output"}}),
            *(("step.delta", {"index": 0, "delta": delta}) for delta in deltas),
            ("step.stop", {"index": 0}),
            ("interaction.completed", {"interaction": completed}),
        ]
        return events([{"event_type": name} | event for name, event in told], named=False, ends=True)

    def stream_type(self, query: str) -> str:  # noqa: ARG002
        """See `Api`."""
        return "text/event-stream"

    def error(self) -> Json:
        """See `Api`."""
        return Gemini().error()

    def variables(self, address: str) -> dict[str, str]:  # noqa: ARG002
        """See `Api`: they are those of `Gemini`."""
        return {}


_THOUGHT = {"type": "thought", "signature": "c2lnbmVk"}


def _begun(call: Call) -> Json:
    return {
        "id": f"interaction-{call.n}",
        "object": "interaction",
        "model": call.model,
        "status": "in_progress",
        "created": "2026-02-26T00:58:13Z",
        "updated": "2026-02-26T00:58:13Z",
    }


def _usage(call: Call) -> Json:
    return {
        "input_tokens_by_modality": [{"modality": "text", "tokens": call.input_tokens}],
        "total_cached_tokens": call.cache_read_tokens,
        "total_input_tokens": call.input_tokens,
        "total_output_tokens": call.output_tokens - call.reasoning_tokens,
        "total_thought_tokens": call.reasoning_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        "total_tool_use_tokens": 0,
    }
