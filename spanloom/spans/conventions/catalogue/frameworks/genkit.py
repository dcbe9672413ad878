"""Genkit, by the spans that it writes itself.

Of a model's action the output has the usage, in Genkit's own names, and `generate` around it repeats it. Gemini's
thoughts stand beside `outputTokens`, which `totalTokens` tells.
"""

from __future__ import annotations

import re

from spanloom.spans.conventions.fields import Convention, Field, Key
from spanloom.spans.conventions.readers import choice
from spanloom.spans.conventions.usage_objects import usage_keys

SUBTYPES = {
    "model": "LLM",
    "background-model": "LLM",
    "embedder": "EMBEDDING",
    "retriever": "RETRIEVER",
    "reranker": "RETRIEVER",
    "indexer": "CHAIN",
    "tool": "TOOL",
    "agent": "AGENT",
    "flow": "CHAIN",
    "prompt": "CHAIN",
    "executable-prompt": "CHAIN",
    "evaluator": "EVALUATOR",
}
"""What kind an action is."""

TYPES = {"util": "CHAIN", "flowStep": "CHAIN", "promptTemplate": "CHAIN", "helper": "CHAIN"}
"""What a span is that is no action."""

_MODEL = re.compile(r"/(?:model|background-model|embedder)/(?:([^/]+)/)?(.+)", re.DOTALL)


def _model(text: str) -> str | None:
    """`gemini-2.5-flash` of `/model/googleai/gemini-2.5-flash`; other actions have none."""
    found = _MODEL.fullmatch(text)
    return found[2] if found else None


def _plugin(text: str) -> str | None:
    """`googleai` of `/model/googleai/gemini-2.5-flash`."""
    found = _MODEL.fullmatch(text)
    return found[1] if found else None


CONVENTION = Convention(
    name="Genkit",
    source="@genkit-ai/core and @genkit-ai/ai 1.42 (npm): lib/tracing/instrumentation, lib/action, lib/agent; the chats"
    " of earlier versions: lib/chat",
    keys=(
        Key("genkit:metadata:agent:sessionId", Field.SESSION_ID),
        Key("genkit:sessionId", Field.SESSION_ID),
        Key("genkit:metadata:subtype", Field.SPAN_TYPE, read=choice(SUBTYPES)),
        Key("genkit:type", Field.SPAN_TYPE, read=choice(TYPES)),
        Key("genkit:key", Field.MODEL, read=_model),
        Key("genkit:key", Field.PROVIDER, read=_plugin),
        *usage_keys("genkit:output"),
        Key("genkit:input", Field.INPUT),
        Key("genkit:output", Field.OUTPUT),
    ),
)
