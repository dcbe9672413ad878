"""One span: from its protobuf message to a row of the span table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from schemas import otlp_pb2
from spans.attributes import Attributes, texts
from spans.conventions.fields import FIRST_MERGED, Field
from spans.conventions.registry import NOT_READ, PLAIN, RULES
from spans.limits import Limits
from spans.messages import assistant_text, message_value, user_text
from spans.pieces import assemble, event_messages
from spans.pricing import Prices, TokenUsage
from spans.table import INPUT_IS_MESSAGE, OUTPUT_IS_MESSAGE, PICODOLLARS, PREVIEW_CHARACTERS
from spans.values import json_text, valid_text

_ERROR = 2
"""`STATUS_CODE_ERROR` of OTLP."""

_STATUSES = {1: "ok", _ERROR: "error"}

_PARENT_IS_REMOTE = 0x300
"""Flags of a span whose parent certainly lies in another process (`SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE`,
`SPAN_FLAGS_CONTEXT_IS_REMOTE`)."""

SESSION_ID = int(Field.SESSION_ID)
USER_ID = int(Field.USER_ID)
SPAN_TYPE = int(Field.SPAN_TYPE)
MODEL = int(Field.MODEL)
PROVIDER = int(Field.PROVIDER)
INPUT_TOKENS = int(Field.INPUT_TOKENS)
REASONING_TOKENS = int(Field.REASONING_TOKENS)
INPUT_COST = int(Field.INPUT_COST)
TOTAL_COST = int(Field.TOTAL_COST)
INPUT = int(Field.INPUT)
OUTPUT = int(Field.OUTPUT)
TOOL_INPUT = int(Field.TOOL_INPUT)
TOOL_OUTPUT = int(Field.TOOL_OUTPUT)
TAGS = int(Field.TAGS)
METADATA = int(Field.METADATA)
INPUT_PIECES = int(Field.INPUT_PIECES)
OUTPUT_PIECES = int(Field.OUTPUT_PIECES)

_NOTHING_FOUND: list[object] = [None] * FIRST_MERGED
_NO_RANKS = [NOT_READ] * len(Field)
