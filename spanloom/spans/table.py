"""The span table: the one contract between decoding and everything behind it.

A span table is an Arrow table with the schema `SPAN_TABLE`, one row a span. Its columns are those of the
ClickHouse table `spans_versions` (without `version` and `is_deleted`, which belong to the log and not to the
span), so ClickHouse takes it as it is; facts are some of its columns.
"""

from __future__ import annotations

import pyarrow as pa

SPAN_TYPES = (
    "DEFAULT",
    "LLM",
    "EMBEDDING",
    "TOOL",
    "AGENT",
    "CHAIN",
    "RETRIEVER",
    "RERANKER",
    "GUARDRAIL",
    "EVALUATOR",
)
"""The types of span. A position in this tuple travels in messages: append only."""

STATUSES = ("unset", "ok", "error")
"""The statuses of a span or trace. A position in this tuple travels in messages: append only."""

PREVIEW_CHARACTERS = 4096
"""How much of an input or output travels with a span's facts, in characters."""

# Bits of `marks`. They are stored: append only.
INPUT_IS_MESSAGE = 1
"""`input_preview` is the user's text in an LLM call."""
OUTPUT_IS_MESSAGE = 2
"""`output_preview` is the assistant's text in an LLM call."""
INPUT_IS_TEXT = 4
"""`input_preview` is words, and no start of some JSON."""
OUTPUT_IS_TEXT = 8
"""`output_preview` is words, and no start of some JSON."""
INPUT_OF_TRACE = 16
"""`input_preview` is what the span says to be the input of the whole trace."""
OUTPUT_OF_TRACE = 32
"""`output_preview` is what the span says to be the output of the whole trace."""
IS_COPY = 64
"""The span repeats what another one has recorded, as its SDK says."""
COST_IS_STATED = 128
"""The span states its cost itself."""
NO_START = 256
"""Nobody knows when the span began; it says nothing about when its trace took place."""
USAGE_ADDS_UP = 512
"""The tokens of an LLM call may include those of the calls before it in a loop of a model and its tools."""
CACHE_WAS_TWICE = 1024
"""The version that wrote the span counts cached tokens twice in the input; versions are not stored."""

MAX_TIME = 4_294_967_295 * 1_000_000_000
"""The latest time a row can hold, nanoseconds since the epoch (in the year 2106); later ones are cut to it."""

MAX_TOKENS = 10**12
"""More tokens than this in one span are taken for garbage."""

MAX_COST = 10**5
"""A higher cost of one span, in USD, is taken for garbage."""

LONGEST_SEARCH = 1000
"""The longest text, in characters, that is looked for in what was said."""

PICODOLLARS = 10**12
"""Picodollars in a dollar: costs are rounded to whole picodollars."""

_TIME = pa.timestamp("ns", "UTC")
_TEXT_MAP = pa.map_(pa.string(), pa.string())

SPAN_TABLE = pa.schema(
    [
        pa.field("project_id", pa.string(), False),
        # IDs are lower-case hexadecimal: 32, 16 and 16 digits; no parent is the empty string.
        pa.field("trace_id", pa.string(), False),
        pa.field("span_id", pa.string(), False),
        pa.field("parent_span_id", pa.string(), False),
        pa.field("name", pa.string(), False),
        pa.field("span_type", pa.string(), False),  # one of SPAN_TYPES
        pa.field("service_name", pa.string(), False),
        pa.field("start_time", _TIME, False),
        pa.field("end_time", _TIME, False),  # never before start_time
        pa.field("status", pa.string(), False),  # one of STATUSES
        pa.field("status_message", pa.string(), False),
        pa.field("session_id", pa.string(), False),
        pa.field("user_id", pa.string(), False),
        pa.field("tags", pa.list_(pa.string()), False),  # sorted, each once
        pa.field("model", pa.string(), False),
        pa.field("provider", pa.string(), False),
        pa.field("input_tokens", pa.uint64(), False),
        pa.field("output_tokens", pa.uint64(), False),
        pa.field("cache_read_tokens", pa.uint64(), False),
        pa.field("cache_write_tokens", pa.uint64(), False),
        pa.field("reasoning_tokens", pa.uint64(), False),
        # Of these only the total is known; 0 where input or output is.
        pa.field("unsplit_tokens", pa.uint64(), False),
        # USD, rounded to whole picodollars.
        pa.field("input_cost", pa.float64(), False),
        pa.field("output_cost", pa.float64(), False),
        pa.field("total_cost", pa.float64(), False),
        pa.field("priced", pa.uint8(), False),  # 1: the costs are known, given by the span or computed
        pa.field("time_to_first_token", pa.float64(), False),  # seconds, 0 where the span does not say
        pa.field("environment", pa.string(), False),
        pa.field("release", pa.string(), False),
        pa.field("scope", pa.string(), False),  # the name of the instrumentation
        pa.field("response_id", pa.string(), False),
        pa.field("input", pa.string(), False),
        pa.field("output", pa.string(), False),
        pa.field("attributes", _TEXT_MAP, False),
        pa.field("resource", _TEXT_MAP, False),
        pa.field(
            "events",
            pa.list_(
                pa.struct(
                    [
                        pa.field("name", pa.string(), False),
                        pa.field("time", _TIME, False),
                        pa.field("attributes", _TEXT_MAP, False),
                    ]
                )
            ),
            False,
        ),
        # Which key named the session and the user: a number of conventions/precedence.py, 0 none did.
        pa.field("session_key", pa.uint16(), False),
        pa.field("user_key", pa.uint16(), False),
        pa.field("metadata", _TEXT_MAP, False),
        pa.field("trace_name", pa.string(), False),  # the name that the span gives its trace
        # LLM spans: what the user said last and what the assistant answered (INPUT_IS_MESSAGE, OUTPUT_IS_MESSAGE);
        # else, on spans that nothing recorded lies around, what their input and output say.
        pa.field("input_preview", pa.string(), False),
        pa.field("output_preview", pa.string(), False),
        # There, too: other texts in an input and output that are JSON.
        pa.field("input_texts", pa.list_(pa.string()), False),
        pa.field("output_texts", pa.list_(pa.string()), False),
        # What stands behind the two previews, from LONGEST_SEARCH characters before they were cut; mostly empty.
        pa.field("said_rest", pa.string(), False),
        pa.field("marks", pa.uint16(), False),
    ]
)
"""The schema of a span table."""

COST_COLUMNS = frozenset(name for name in SPAN_TABLE.names if name.endswith("_cost"))
"""Columns of costs: USD in tables, whole picodollars everywhere else."""
