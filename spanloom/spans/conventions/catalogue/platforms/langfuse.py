"""Langfuse: its SDKs for Python and JavaScript, which export OTLP since version 3 and 4."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from spanloom.spans.conventions.fields import Convention, Field, Key, Prefix
from spanloom.spans.conventions.readers import (
    choice,
    comma_tags,
    cost,
    count,
    json_object,
    moment,
    tags,
    unquoted,
)
from spanloom.spans.conventions.usage_objects import COUNTS, Usage, at, part_readers

OBSERVATION_TYPES = {
    "generation": "LLM",
    "embedding": "EMBEDDING",
    "tool": "TOOL",
    "agent": "AGENT",
    "chain": "CHAIN",
    "retriever": "RETRIEVER",
    "guardrail": "GUARDRAIL",
    "evaluator": "EVALUATOR",
    "span": "DEFAULT",
    "event": "DEFAULT",
}

_CACHE_READ = ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens")
_CACHE_WRITE = ("input_cache_creation", "cache_creation_input_tokens")
_EPHEMERAL = ("input_ephemeral_5m_input_tokens", "input_ephemeral_1h_input_tokens")
_REASONING = ("output_reasoning_tokens", "output_reasoning")


def _is_part(name: str, side: str) -> bool:
    """Whether a name is a part of its own: `input_priority` and the like overlap with others."""
    return name.startswith(side) and "priority" not in name and name not in _EPHEMERAL


def _is_split(usage: Usage) -> bool:
    """With `input` and `output` the parts are disjoint; with names of OpenAI or another provider they are as there."""
    return not {"input_tokens", "output_tokens", "prompt_tokens", "completion_tokens"}.intersection(usage)


def _write(usage: Usage) -> int | None:
    written = at(usage, *_CACHE_WRITE)
    # LangChain gives 0 where it gives the parts of it.
    parts = [part for name in _EPHEMERAL if (part := at(usage, name))]
    return written or sum(parts) if parts else written


def _side(side: str) -> Callable[[Usage], int | None]:
    """The whole of a side: the sum of its disjoint parts."""

    def read(usage: Usage) -> int | None:
        parts = [
            part
            for name, value in usage.items()
            if _is_part(name, side) and (part := count(value)) is not None
        ]
        if side == "input":
            beside = [at(usage, name) for name in ("cache_read_input_tokens", "cache_creation_input_tokens")]
            parts += [part for part in beside if part is not None]
            if not at(usage, *_CACHE_WRITE):
                parts += [part for name in _EPHEMERAL if (part := at(usage, name))]
        return sum(parts) if parts else None

    return read


_SPLIT: Mapping[Field, Callable[[Usage], int | None]] = {
    Field.INPUT_TOKENS: _side("input"),
    Field.OUTPUT_TOKENS: _side("output"),
    Field.CACHE_READ_TOKENS: lambda usage: at(usage, *_CACHE_READ),
    Field.CACHE_WRITE_TOKENS: _write,
    Field.REASONING_TOKENS: lambda usage: at(usage, *_REASONING),
    Field.TOTAL_TOKENS: lambda usage: at(usage, "total"),
}


def _usage_key(field: Field) -> Key:
    def read(text: str) -> int | None:
        usage = json_object(text)
        return (_SPLIT if _is_split(usage) else COUNTS)[field](usage)

    return Key("langfuse.observation.usage_details", field, read=read)


def _part_key(field: Field, *names: str) -> Key:
    """A part with a price of its own: disjoint from the others as Langfuse counts, or in the details of another."""
    in_details = _IN_DETAILS[field]

    def read(text: str) -> int | None:
        found = in_details(text)
        if found is None and any(name in text for name in names):
            found = at(json_object(text), *names)
        return found or None

    return Key("langfuse.observation.usage_details", field, read=read)


def _medium(side: str, medium: str) -> tuple[str, ...]:
    modality = f"{side}_modality_"
    return f"{side}_{medium}", f"{side}_{medium}_tokens", modality + medium, modality + medium.upper()


def _cost_key(field: Field, side: str) -> Key:
    """The cost of a side, or of both: what is given as such, else the sum of all parts that belong to it."""

    def read(text: str) -> float | None:
        given = json_object(text)
        costs = {
            name: amount
            for name, value in given.items()
            if not isinstance(value, bool) and (amount := cost(str(value))) is not None
        }
        if side == "total":
            return costs["total"] if "total" in costs else _sum(costs.values())
        return _sum(amount for name, amount in costs.items() if side in name)

    return Key("langfuse.observation.cost_details", field, read=read)


def _sum(amounts: Iterable[float]) -> float | None:
    given = list(amounts)
    # Prices are sums of few decimals: what floats add to them is rounded away.
    return cost(str(round(math.fsum(given), 15))) if given else None


_IN_DETAILS = dict(part_readers(json_object))

_COUNTED = (
    Field.INPUT_TOKENS,
    Field.OUTPUT_TOKENS,
    Field.CACHE_READ_TOKENS,
    Field.CACHE_WRITE_TOKENS,
    Field.REASONING_TOKENS,
    Field.TOTAL_TOKENS,
)

# What its handler for LangChain writes of the model calls that stand below no chain.
_OF_LANGCHAIN = "langfuse.observation.metadata.langfuse_"

CONVENTION = Convention(
    name="Langfuse",
    source="langfuse 3.15, 4.18, 5.0.4 (PyPI): langfuse/_client/attributes.py, langchain/CallbackHandler.py, openai.py;"
    " @langfuse/core, tracing, openai and langchain 5.11 (npm)",
    keys=(
        Key("langfuse.session.id", Field.SESSION_ID),
        Key("langfuse.user.id", Field.USER_ID),
        Key(f"{_OF_LANGCHAIN}session_id", Field.SESSION_ID),
        Key(f"{_OF_LANGCHAIN}user_id", Field.USER_ID),
        Key(f"{_OF_LANGCHAIN}tags", Field.TAGS, read=lambda text: tags(unquoted(text))),
        Key("langfuse.trace.tags", Field.TAGS),
        Key("langfuse.tags", Field.TAGS, read=comma_tags),
        Key("langfuse.trace.metadata", Field.METADATA),
        Key("langfuse.trace.name", Field.TRACE_NAME),
        Key("langfuse.trace.input", Field.TRACE_INPUT),
        Key("langfuse.trace.output", Field.TRACE_OUTPUT),
        Key("langfuse.environment", Field.ENVIRONMENT),
        Key("langfuse.release", Field.RELEASE),
        Key("langfuse.observation.type", Field.SPAN_TYPE, read=choice(OBSERVATION_TYPES)),
        Key("langfuse.observation.model.name", Field.MODEL),
        Key("langfuse.observation.completion_start_time", Field.FIRST_TOKEN_AT, read=moment),
        *(_usage_key(field) for field in _COUNTED),
        _part_key(Field.INPUT_AUDIO_TOKENS, *_medium("input", "audio")),
        _part_key(Field.CACHED_AUDIO_TOKENS, *_medium("cached", "audio")),
        _part_key(Field.INPUT_IMAGE_TOKENS, *_medium("input", "image")),
        _part_key(Field.CACHED_IMAGE_TOKENS, *_medium("cached", "image")),
        _part_key(Field.CACHE_WRITE_1H_TOKENS, "input_ephemeral_1h_input_tokens"),
        _part_key(Field.OUTPUT_AUDIO_TOKENS, *_medium("output", "audio")),
        _part_key(Field.OUTPUT_IMAGE_TOKENS, *_medium("output", "image")),
        _cost_key(Field.INPUT_COST, "input"),
        _cost_key(Field.OUTPUT_COST, "output"),
        _cost_key(Field.TOTAL_COST, "total"),
        # A completion's prompt and a text given to the Responses API stand here as they are.
        Key("langfuse.observation.input", Field.INPUT, prompt=True),
        Key("langfuse.observation.output", Field.OUTPUT),
        # The SDK for JavaScript marks what fails by this alone and leaves the span's status unset.
        Key("langfuse.observation.level", Field.STATUS, read=choice({"error": "error"})),
        Key("langfuse.observation.status_message", Field.STATUS_MESSAGE),
    ),
    # Since version 5 each value is JSON, a text in quotes too (`_serialize_metadata_value`).
    prefixes=(Prefix("langfuse.trace.metadata.", Field.METADATA, read=unquoted),),
)
