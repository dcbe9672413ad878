"""The SQL that makes up sessions, traces and spans inside ClickHouse, a function of a session's number.

Nothing is random: the same number gives the same rows, so a trace's sums are those of its spans and a session's
those of its traces. What is modelled: session IDs and trace IDs without any order, sessions of 1 to 6 traces
with some of 30, 200 and one of 1,000; one session in twenty that is taken up again every six hours; traces of 2 to
6 spans and one of 10,000; texts of 100 to 2,000 characters, cut out of a text of 8 MB, and one call in 500 whose input
goes on behind its preview; one trace in five that names a span which counts otherwise than its type.
"""

from __future__ import annotations

import random

CORPUS_TABLE = "benchmark_corpus"
CORPUS_BYTES = 8_000_000

NEEDLE = "xylograph"
"""A word that occurs in one trace of 20,000."""

BIG = 1000
"""The number of the session with 1,000 traces, the first of which has 10,000 spans."""

SESSION_ID = "concat('chat-', substring(hex(MD5(toString(s))), 1, 24))"
TRACE_ID = "lower(hex(sipHash128(s, t)))"


def corpus() -> str:
    """Words by Zipf's law in sentences: as compressible as people's texts (zstd: to 40 %)."""
    chance = random.Random(1)
    syllables = [
        a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er", "in", "or", "al")
    ]
    words = ["".join(chance.choices(syllables, k=chance.choice((1, 1, 2, 2, 3, 4)))) for _ in range(8000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    text: list[str] = []
    size = 0
    while size < CORPUS_BYTES:
        sentence = " ".join(chance.choices(words, weights, k=chance.randint(4, 18))).capitalize() + ". "
        text.append(sentence)
        size += len(sentence)
    return "".join(text)[:CORPUS_BYTES]


# `h`, `th` and `kh` are what stands for chance in a session, a trace and a span.
def _traces(start: int, days: int, sessions: int) -> str:
    seconds = days * 86_400
    return f"""
SELECT
    s,
    t,
    h,
    cityHash64(h, t) AS th,
    if(h % 10 = 0, 'support', 'shop') AS project_id,
    {SESSION_ID} AS session_id,
    {TRACE_ID} AS trace_id,
    concat('user-', toString(h % 50000)) AS user_id,
    {start} * 1000 + intDiv(s * {seconds} * 1000, {sessions}) + h % 60000
        + t * if(h % 20 = 1, 21600000, 20000 + h % 600000 + th % 20000) AS start_ms,
    if(s = {BIG} AND t = 0, 10000, 2 + th % 5) AS n_spans
FROM
(
    SELECT
        number AS s,
        cityHash64(number) AS h,
        multiIf(s = {BIG}, 1000, h % 1000 = 7, 200, h % 100 < 5, 30, 1 + h % 6) AS n_traces
    FROM numbers({{first:UInt64}}, {{count:UInt64}})
)
ARRAY JOIN range(n_traces) AS t"""


_REST = f"if(span_type = 'LLM' AND kh % 500 = 1, substring(corpus, 1 + kh % {CORPUS_BYTES - 8000}, 8000), '')"
"""What a call's input says behind the preview; to the engine it makes no difference how long the preview is."""


def _text(salt: int, kh: str = "kh") -> str:
    chance = f"intHash64({kh} + {salt})"
    length = f"100 + intDiv(bitAnd({chance}, 2047) * bitAnd(bitShiftRight({chance}, 16), 127), 138)"
    at = f"1 + bitShiftRight({chance}, 24) % {CORPUS_BYTES - 2100}"
    return f"substring(corpus, {at}, {length})"


def _spoken(kh: str = "kh") -> str:
    return f"concat({_text(1, kh)}, if(th % 20000 = 3, ' {NEEDLE} 你好 🧵', ''))"


_CORPUS = f"WITH (SELECT text FROM {CORPUS_TABLE} LIMIT 1) AS corpus"


def _spans(start: int, days: int, sessions: int) -> str:
    return f"""
{_CORPUS}
SELECT
    s,
    t,
    k,
    th,
    n_spans,
    cityHash64(th, k) AS kh,
    project_id,
    session_id,
    trace_id,
    user_id,
    lower(hex(kh)) AS span_id,
    if(k = 0, '', lower(hex(cityHash64(th, intDiv(k - 1, 3))))) AS parent_span_id,
    multiIf(k = 0, 'CHAIN', k % 2 = 1, 'LLM', 'TOOL') AS span_type,
    multiIf(k = 0, 'answer', k % 2 = 1, 'chat gpt', 'look up orders') AS name,
    start_ms + if(k = 0, 0, k * 700 - 500) AS span_ms,
    span_ms + if(k = 0, n_spans * 800, 400 + kh % 900) AS span_end_ms,
    if(kh % 60 = 0, 'error', 'ok') AS status,
    if(span_type = 'LLM', ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4'][1 + kh % 3], '') AS model,
    if(span_type = 'LLM', 200 + kh % 3000, 0) AS input_tokens,
    if(span_type = 'LLM', 20 + kh % 500, 0) AS output_tokens,
    round(input_tokens * 2.5e-6, 12) AS input_cost,
    round(output_tokens * 1e-5, 12) AS output_cost,
    {_REST} AS said_rest,
    if(k = 0, {_spoken()}, concat({_text(1)}, said_rest)) AS input,
    {_text(2)} AS output
FROM ({_traces(start, days, sessions)})
ARRAY JOIN range(n_spans) AS k"""


_MS = "fromUnixTimestamp64Milli(toInt64({0}), 'UTC')"
_VERSION = "bitShiftLeft(toUInt64({0}), 22)"


def insert_spans(start: int, days: int, sessions: int) -> str:
    """Spans of the sessions `first` to `first + count`."""
    return f"""
INSERT INTO spans_versions (
    project_id, trace_id, span_id, parent_span_id, name, span_type, service_name, start_time, end_time, status,
    status_message, session_id, user_id, tags, model, provider, input_tokens, output_tokens, input_cost,
    output_cost, total_cost, priced, input, output, said_rest, attributes, resource, version)
SELECT
    project_id, trace_id, span_id, parent_span_id, name, span_type, 'assistant', {_MS.format("span_ms")},
    {_MS.format("span_end_ms")}, status, if(status = 'error', 'the other side hung up', ''),
    if(k = 0, session_id, ''), if(k = 0, user_id, ''), if(k = 0 AND th % 3 = 0, ['beta'], []), model,
    if(model = '', '', 'openai'), input_tokens, output_tokens, input_cost, output_cost,
    input_cost + output_cost, model != '', input, output, said_rest,
    map('gen_ai.system', 'openai', 'gen_ai.request.model', model, 'gen_ai.request.temperature', '0.7',
        'gen_ai.response.id', concat('resp_', hex(kh)), 'deployment', 'eu-1', 'spanloom.k', toString(k)),
    map('service.name', 'assistant', 'host.name', concat('node-', toString(kh % 40)), 'sdk', 'otel-py'),
    {_VERSION.format("span_end_ms")}
FROM ({_spans(start, days, sessions)})"""


def _trace_rows(start: int, days: int, sessions: int) -> str:
    return f"""
{_CORPUS}
SELECT
    project_id, session_id, toStartOfHour({_MS.format("min(span_ms)")}, 'UTC') AS window_start, trace_id,
    'answer' AS name, any(g.user_id) AS user_id, if(any(g.th) % 3 = 0, ['beta'], []) AS tags,
    map('plan', ['free', 'pro'][1 + any(g.th) % 2], 'release', toString(any(g.th) % 30)) AS metadata,
    ['assistant'] AS services, {_MS.format("min(span_ms)")} AS start_time, {_MS.format("max(span_end_ms)")} AS end_time,
    max(if(k = 0, g.status, '')) AS status, count() AS span_count, countIf(span_type = 'LLM') AS llm_call_count,
    countIf(span_type = 'TOOL') AS tool_call_count, countIf(g.status = 'error') AS error_count,
    toUInt64(length(arrayFilter(id -> NOT has(groupArrayIf(g.parent_span_id, g.status = 'error'), id),
        groupArrayIf(g.span_id, g.status = 'error')))) AS failure_count,
    sum(g.input_tokens) AS input_tokens, sum(g.output_tokens) AS output_tokens,
    round(sum(g.input_cost), 12) AS input_cost, round(sum(g.output_cost), 12) AS output_cost,
    round(sum(g.input_cost) + sum(g.output_cost), 12) AS total_cost,
    arraySort(groupUniqArrayIf(model, model != '')) AS models,
    cityHash64(any(g.th) AS th, 0) AS root, {_spoken("root")} AS input, {_text(2, "root")} AS output,
    max(if(k = 0, g.span_id, '')) AS root_span_id,
    if(th % 5 = 0, [root_span_id], []) AS counts_otherwise, {_VERSION.format("max(span_end_ms)")} AS version
FROM ({_spans(start, days, sessions)}) AS g
GROUP BY project_id, session_id, trace_id"""


_TRACE_COLUMNS = (
    "project_id, session_id, window_start, trace_id, name, user_id, tags, metadata, services, start_time, end_time, "
    "status, span_count, llm_call_count, tool_call_count, failure_count, error_count, input_tokens, output_tokens, "
    "input_cost, output_cost, total_cost, models, input, output, root_span_id, counts_otherwise, version"
)


def insert_traces(start: int, days: int, sessions: int) -> str:
    """Traces of the sessions `first` to `first + count`."""
    rows = _trace_rows(start, days, sessions)
    return f"INSERT INTO traces_versions ({_TRACE_COLUMNS}) SELECT {_TRACE_COLUMNS} FROM ({rows})"


def insert_windows(start: int, days: int, sessions: int) -> str:
    """Session windows of the sessions `first` to `first + count`."""
    sums = (
        "span_count",
        "llm_call_count",
        "tool_call_count",
        "failure_count",
        "error_count",
        "input_tokens",
        "output_tokens",
    )
    costs = ("input_cost", "output_cost", "total_cost")
    return f"""
INSERT INTO session_windows_versions (
    project_id, window_start, session_id, user_id, user_since, user_ids, start_time, end_time,
    active_nanoseconds, trace_count, {", ".join(sums)}, {", ".join(costs)}, models, tags, services,
    first_input, version)
SELECT
    project_id, window_start, session_id, any(r.user_id), min(r.start_time), [any(r.user_id)], min(r.start_time),
    max(r.end_time), sum(toUnixTimestamp64Nano(r.end_time) - toUnixTimestamp64Nano(r.start_time)) * 1000000, count(),
    {", ".join(f"sum(r.{name})" for name in sums)},
    {", ".join(f"round(sum(r.{name}), 12)" for name in costs)},
    arraySort(groupUniqArrayArray(r.models)), arraySort(groupUniqArrayArray(r.tags)), ['assistant'],
    argMin(substringUTF8(r.input, 1, 200), (r.start_time, r.trace_id)), max(r.version)
FROM ({_trace_rows(start, days, sessions)}) AS r
GROUP BY project_id, window_start, session_id"""
