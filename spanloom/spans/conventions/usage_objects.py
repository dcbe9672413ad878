"""The usage object of a model's response, as providers write it, in whichever attribute an SDK keeps it.

Names differ, and so does what they mean: Anthropic and Bedrock count what they cached beside the input, Gemini what the
model thought beside its answer, OpenAI both inside. What is beside is told by the total: where the object has none, it
is that of its family.

Sources: OpenAI's API reference (Completions, Responses); Anthropic's Messages API, `usage`; Bedrock's Converse API,
`TokenUsage`; Gemini's API, `UsageMetadata`; langchain_core `UsageMetadata`; Genkit, `GenerationUsage`; DeepSeek's API,
`prompt_cache_hit_tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from spanloom.spans.conventions.fields import Field, Key, Reader
from spanloom.spans.conventions.readers import count, json_object
from spanloom.spans.text.python_repr import short_as_json

Usage = Mapping[str, object]

_INPUT = (
    "input_tokens",
    "prompt_tokens",
    "inputTokens",
    "promptTokens",
    "prompt_token_count",
    "promptTokenCount",
)
_OUTPUT = (
    "output_tokens",
    "completion_tokens",
    "outputTokens",
    "completionTokens",
    "candidates_token_count",
    "candidatesTokenCount",
    "response_token_count",
    "responseTokenCount",
)
_CACHE_READ = (
    "prompt_tokens_details.cached_tokens",
    "input_tokens_details.cached_tokens",
    "input_token_details.cache_read",
    "cache_read_input_tokens",
    "cacheReadInputTokens",
    "cacheReadInputTokenCount",
    "cached_content_token_count",
    "cachedContentTokenCount",
    "cachedContentTokens",
    "prompt_cache_hit_tokens",
    "cachedInputTokens",
    "cachedPromptTokens",
    "cached_input_tokens",
    "cached_tokens",
    "cache_read_tokens",
)
_CACHE_WRITE = (
    "prompt_tokens_details.cache_creation_tokens",
    "input_token_details.cache_creation",
    "cache_creation_input_tokens",
    "cacheWriteInputTokens",
    "cacheWriteInputTokenCount",
    "cacheCreationInputTokens",
    "cache_creation_tokens",
    "cache_write_tokens",
)
_CACHE_WRITE_BY_AGE = (
    "input_token_details.ephemeral_5m_input_tokens",
    "input_token_details.ephemeral_1h_input_tokens",
    "input_token_details.ephemeral_1hr_input_tokens",
)
"""How LangChain and LangSmith (`1hr`: npm, lib/utils/usage) break down what was written, by how long it is kept."""

_REASONING = (
    "completion_tokens_details.reasoning_tokens",
    "output_tokens_details.reasoning_tokens",
    "output_token_details.reasoning",
    "thoughts_token_count",
    "thoughtsTokenCount",
    "thoughtsTokens",
    "reasoning_tokens",
    "reasoningTokens",
)
_TOTAL = ("total_tokens", "totalTokens", "total_token_count", "totalTokenCount")

# Parts that stand beside their whole, by the families that count so.
_BESIDE = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cacheReadInputTokens",
    "cacheWriteInputTokens",
    "cacheReadInputTokenCount",
    "cacheWriteInputTokenCount",
    "thoughts_token_count",
    "thoughtsTokenCount",
    "tool_use_prompt_token_count",
    "toolUsePromptTokenCount",
)
_BESIDE_INPUT = ("tool_use_prompt_token_count", "toolUsePromptTokenCount")


def at(usage: Usage, *paths: str) -> int | None:
    """The first count at one of these paths (`a.b` is the member `b` of the member `a`) that is one."""
    for path in paths:
        value: object = usage
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        found = count(value)
        if found is not None:
            return found
    return None


def _input(usage: Usage) -> int | None:
    found = at(usage, *_INPUT)
    # What Gemini's own tools put into the prompt is counted apart.
    return found if found is None else found + (at(usage, *_BESIDE_INPUT) or 0)


def cache_write(usage: Usage) -> int | None:
    """What was written to the cache: the count itself, or the sum by age where that is missing.

    LangChain gives 0 as the count where it gives the counts by age (langchain_anthropic, `_create_usage_metadata`).
    """
    written = at(usage, *_CACHE_WRITE)
    by_age = [tokens for name in _CACHE_WRITE_BY_AGE if (tokens := at(usage, name)) is not None]
    return written or sum(by_age) if by_age else written


def _total(usage: Usage) -> int | None:
    found = at(usage, *_TOTAL)
    if found is not None:
        return found
    beside = [part for name in _BESIDE if (part := at(usage, name))]
    wholes = at(usage, *_INPUT), at(usage, *_OUTPUT)
    if not beside or None in wholes:
        return None
    return sum(whole or 0 for whole in wholes) + sum(beside)


COUNTS: Mapping[Field, Callable[[Usage], int | None]] = {
    Field.INPUT_TOKENS: _input,
    Field.OUTPUT_TOKENS: lambda usage: at(usage, *_OUTPUT),
    Field.CACHE_READ_TOKENS: lambda usage: at(usage, *_CACHE_READ),
    Field.CACHE_WRITE_TOKENS: cache_write,
    Field.REASONING_TOKENS: lambda usage: at(usage, *_REASONING),
    Field.TOTAL_TOKENS: _total,
}
"""How each count is read out of a usage object."""

_RESPONSE_ID = re.compile(r'\s*\{\s*"id"\s*:\s*"([^"\\\s]{4,256})"')

MEMBERS = ("usage", "usage_metadata", "usageMetadata", "token_usage")
"""Members of a response that hold its usage."""


@lru_cache(maxsize=4)
def usage_in(text: str) -> Usage:
    """The usage object in an attribute: the value itself, or a member of the response that it is; empty without one."""
    value = json_object(text) or json_object(short_as_json(text))
    for path in (*MEMBERS, "response_metadata", "message", "response"):
        inside = value.get(path)
        if isinstance(inside, dict):
            if path in MEMBERS:
                return inside
            for member in MEMBERS:
                if isinstance(deeper := inside.get(member), dict):
                    return deeper
    return value


def response_id_in(text: str) -> str | None:
    """The ID of a response that is recorded as JSON: it is the first member there."""
    found = _RESPONSE_ID.match(text)
    return found[1] if found else None


@lru_cache(maxsize=4)
def usage_by_provider(text: str) -> Usage:
    """The usage object in a provider's own metadata: `{"anthropic": {"usage": {…}}}`; empty without one."""
    for metadata in json_object(text).values():
        if isinstance(metadata, dict):
            inside = next((metadata[name] for name in MEMBERS if isinstance(metadata.get(name), dict)), None)
            # Older versions of the AI SDK have the counts there without the object.
            return {**metadata, **inside} if inside else metadata
    return {}


def usage_keys(name: str, usage: Callable[[str], Usage] = usage_in) -> tuple[Key, ...]:
    """The keys of an attribute that holds a usage object, or a response with one.

    Args:
        name: the attribute.
        usage: where in its text the object is.
    """

    def reader(find: Callable[[Usage], int | None]) -> Reader:
        return lambda text: find(usage(text))

    return tuple(Key(name, field, read=reader(find)) for field, find in COUNTS.items())


def provider_keys(name: str) -> tuple[Key, ...]:
    """The keys of an attribute that holds metadata by provider."""
    return usage_keys(name, usage_by_provider)
