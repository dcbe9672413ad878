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
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    "input_token_details.cached_tokens",
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

_INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_CACHED_DETAILS = tuple(f"{details}.cached_tokens_details" for details in _INPUT_DETAILS)
# Gemini's lists of modality and count.
_INPUT_MODALITIES = ("prompt_tokens_details", "promptTokensDetails")
_CACHED_MODALITIES = ("cache_tokens_details", "cacheTokensDetails")
_OUTPUT_MODALITIES = (
    "candidates_tokens_details",
    "candidatesTokensDetails",
    "response_tokens_details",
    "responseTokensDetails",
)


def _medium(medium: str, details: Iterable[str], modalities: Iterable[str]) -> Callable[[Usage], int | None]:
    """A reader of the tokens of a medium: in OpenAI's and LangChain's details, or in Gemini's lists."""
    paths = [f"{each}.{name}" for each in details for name in (f"{medium}_tokens", medium)]

    def read(usage: Usage) -> int | None:
        return at(usage, *paths) or sum(_listed(usage, modalities, "modality", medium)) or None

    return read


def _listed(usage: Usage, members: Iterable[str], name: str, value: str) -> Iterator[int]:
    """The counts of a list's elements that have this value, in any case, under this name."""
    for member in members:
        elements = usage.get(member)
        for element in elements if isinstance(elements, list) else ():
            if isinstance(element, dict) and str(element.get(name)).lower() == value:
                yield at(element, "tokenCount", "token_count", "inputTokens", "input_tokens") or 0


def _for_an_hour(usage: Usage) -> int | None:
    return (
        at(usage, *_FOR_AN_HOUR)
        or sum(_listed(usage, ("cacheDetails", "cache_details"), "ttl", "1h"))
        or None
    )


_FOR_AN_HOUR = (
    "cache_creation.ephemeral_1h_input_tokens",
    "input_token_details.ephemeral_1h_input_tokens",
    "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
    "cache_creation_input_tokens_above_1hr",
    "cache_creation_ephemeral_1h_input_tokens",
)

_MEDIA: Mapping[Field, tuple[str, Callable[[Usage], int | None]]] = {
    Field.INPUT_AUDIO_TOKENS: ("audio", _medium("audio", _INPUT_DETAILS, _INPUT_MODALITIES)),
    Field.CACHED_AUDIO_TOKENS: ("audio", _medium("audio", _CACHED_DETAILS, _CACHED_MODALITIES)),
    Field.INPUT_IMAGE_TOKENS: ("image", _medium("image", _INPUT_DETAILS, _INPUT_MODALITIES)),
    Field.CACHED_IMAGE_TOKENS: ("image", _medium("image", _CACHED_DETAILS, _CACHED_MODALITIES)),
    Field.CACHE_WRITE_1H_TOKENS: ("1h", _for_an_hour),
    Field.OUTPUT_AUDIO_TOKENS: ("audio", _medium("audio", _OUTPUT_DETAILS, _OUTPUT_MODALITIES)),
    Field.OUTPUT_IMAGE_TOKENS: ("image", _medium("image", _OUTPUT_DETAILS, _OUTPUT_MODALITIES)),
}


def _part_reader(
    word: str, find: Callable[[Usage], int | None], usage: Callable[[str], Usage]
) -> Callable[[str], int | None]:
    upper = word.upper()
    # Few calls have such tokens, and to look for a word costs far less than to look up names.
    return lambda text: find(usage(text)) if word in text or upper in text else None


def part_readers(
    usage: Callable[[str], Usage] | None = None,
) -> Iterator[tuple[Field, Callable[[str], int | None]]]:
    """How each part that has a price of its own is read out of the text of an attribute.

    Args:
        usage: where in the text the object is; `usage_in` without it.
    """
    for field, (word, find) in _MEDIA.items():
        yield field, _part_reader(word, find, usage or usage_in)


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

    counts = tuple(Key(name, field, read=reader(find)) for field, find in COUNTS.items())
    return counts + tuple(Key(name, field, read=read) for field, read in part_readers(usage))


def provider_keys(name: str) -> tuple[Key, ...]:
    """The keys of an attribute that holds metadata by provider."""
    return usage_keys(name, usage_by_provider)
