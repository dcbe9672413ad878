"""The words that hostile spans are made of."""

from __future__ import annotations

from spanloom.spans.conventions.registry import CONVENTIONS
from spanloom.spans.limits import TRUNCATED
from spanloom.spans.reading.wire.attributes import UNDECODABLE
from tests.spans.reading.otlp_examples import START

KEYS = sorted({key.name for convention in CONVENTIONS for key in convention.keys} | {TRUNCATED, UNDECODABLE})
PREFIXES = sorted({prefix.name for convention in CONVENTIONS for prefix in convention.prefixes})

NUMBERS = [
    *("1_000", "٣", "NaN", "inf", "-Infinity", "1e400", "-0", "-1", "+5", " 5 ", "5.5", "1e3", "0x10", "7"),
    *(str(2**63), str(2**64), "9" * 65, "9" * 5000, "0." + "0" * 400 + "1"),
]
"""Numbers, and what other readers take for numbers."""

INDEXES = ["0", "1", "2", "00", "-1", "999999", "999999999", "9" * 50, "", "x", "٣", "1_0"]
"""Indexes of flattened messages."""

RESTS = [
    *("role", "content", "message.role", "message.content", "name", "finish_reason", "message."),
    *("tool_calls.0.name", "tool_calls.1.arguments", "message.tool_calls.0.tool_call.function.arguments"),
    *("message.contents.0.message_content.text", "message.contents.1.message_content.image.image.url"),
    *("message.contents.7.message_content.type", "message.contents.x.message_content.", "content\n", ""),
]
"""What follows the index of a flattened message."""

MEMBERS = [
    *(
        "role",
        "content",
        "parts",
        "type",
        "text",
        "choices",
        "candidates",
        "generations",
        "message",
        "messages",
    ),
    *(
        "kwargs",
        "id",
        "input",
        "output",
        "prompt",
        "contents",
        "refusal",
        "audio",
        "image_url",
        "url",
        "source",
    ),
    *(
        "mime_type",
        "format",
        "modality",
        "inline_data",
        "tool_calls",
        "total",
        "input_cached_tokens",
        "output_",
    ),
    *("prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens", "body", "transcript"),
    *("gen_ai.prompt", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.event.content"),
    *("exception.message", "exception.type"),
]
"""Members of messages and usage in JSON, and attributes of events."""

WORDS = [
    *(
        "user",
        "assistant",
        "human",
        "system",
        "tool",
        "text",
        "image",
        "file",
        "audio",
        "function_call",
        "refusal",
    ),
    *(
        "chat",
        "embeddings",
        "generation",
        "TOOL",
        "workflow",
        "ai.generateText.doGenerate",
        "gpt-4o",
        "openai",
    ),
    *(
        "data:image/png;base64,AA",
        "image/png",
        "",
        "\x00",
        "\u202eשלום\u2066",
        "👨‍👩‍👧‍👦",
        "\ufeff",
        "[{",
        '{"',
    ),
]
"""Values that conventions know, and texts that break readers."""

EVENTS = [
    *(
        "exception",
        "gen_ai.user.message",
        "gen_ai.choice",
        "gen_ai.content.prompt",
        "gen_ai.content.completion",
    ),
    *("gen_ai.client.inference.operation.details", ""),
]
"""Names of events."""

TIMES = [0, 1, START, START + 10**9, 2**63 - 1, 2**63, 2**64 - 1]
"""Nanoseconds since the epoch."""
