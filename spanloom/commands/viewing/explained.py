"""Explained traces on the terminal, and what a file of a user's own keys adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from spanloom.commands.viewing.show import duration
from spanloom.spans.conventions.own_keys import OwnKey
from spanloom.spans.explaining.fields import FieldSource, Given
from spanloom.spans.explaining.reasons import Named
from spanloom.spans.explaining.trace import ExplainedSpan, ExplainedTrace
from spanloom.spans.table import PICODOLLARS

_SHOWN = 80
"""Characters of a value."""
_LOST = 5
"""Keys that lost, of one field."""
_SPANS = 1000
"""Spans of one trace."""


def trace(explained: ExplainedTrace) -> RenderableType:
    """What decided on a trace, then the tree of its spans with what decided on each."""
    row, reasons = explained.trace, explained.reasons
    tree = Tree(Text.assemble((f"trace {row.key.trace_id.hex()}", "bold"), f"  {_cut(row.name)}"))
    for name, some in (("session_id", reasons.sessions), ("user_id", reasons.users)):
        for line in _named(name, some):
            tree.add(line)
    for name, text, why in (
        ("input", row.input, reasons.why_input),
        ("output", row.output, reasons.why_output),
    ):
        tree.add(_line(name, _cut(text) if text else "none", why))
    tree.add(_line("usage", _usage(explained), ""))
    nodes: list[Tree] = []
    for span in explained.spans[:_SPANS]:
        above = nodes[span.above] if 0 <= span.above < len(nodes) else tree
        nodes.append(_span(span, above))
    if (more := len(explained.spans) - _SPANS) > 0:
        tree.add(Text(f"and {more:,} more spans", style="dim"))
    return tree


def keys(own: Sequence[OwnKey]) -> RenderableType:
    """What each key of a file does, in plain words."""
    lines = [Text(f"{len(own)} {'key' if len(own) == 1 else 'keys'} of your own, all valid:")]
    return Group(*lines, *(Text(f"  {_printable(_key(key))}") for key in own))


def _key(key: OwnKey) -> str:
    side = "before" if key.ahead else "after"
    said = f"{key.field.name.lower()}: {key.name}"
    if key.at:
        said += f", in its JSON at {' or else at '.join(key.at)}"
    if key.values:
        said += f", where {', '.join(f'{word} means {value}' for word, value in key.values)}"
    if key.unit:
        said += f", in {key.unit}"
    if key.beside:
        said += f", counted beside {key.beside}"
    said += f", {'moved ' if key.moved else ''}{side} the {'other ' if key.moved else ''}built-in keys"
    return f"{said}; stored as number {key.number}" if key.number else said


def _usage(explained: ExplainedTrace) -> str:
    sums = dict(zip(explained.trace.counters._fields, explained.trace.counters, strict=True))
    cost = sums["total_cost"] / PICODOLLARS
    text = (
        f"LLM calls: {sums['llm_call_count']:,}, tokens: {sums['input_tokens']:,} in, {sums['output_tokens']:,} out,"
        f" ${cost:.6f}"
    )
    unpriced = sums["unpriced_call_count"]
    return f"{text}, {unpriced:,} unpriced" if unpriced else text


def _span(span: ExplainedSpan, above: Tree) -> Tree:
    fact = span.fact
    node = above.add(
        Text.assemble(
            (f"{span.span_type} ", "dim"),
            (_cut(fact.name), "bold"),
            f"  {fact.span_id:016x}  {duration(fact.duration / 1e9)}",
            (f"  by {_cut(fact.scope)}" if fact.scope else "", "dim"),
        )
    )
    for source in span.sources:
        for line in _source(source):
            node.add(line)
    for given in span.unread:
        node.add(_line("gives nothing", f"{given.key} = {_cut(given.text)}", ""))
    for rule in span.usage:
        node.add(_line("tokens", _tokens(span), rule))
    if span.cost:
        known = f"${fact.total_cost / PICODOLLARS:.6f}" if fact.priced else "?"
        node.add(_line("cost", known, span.cost))
    for sentence in span.standing:
        node.add(_line("in its trace", sentence, ""))
    if span.cut:
        node.add(_line("cut", span.cut, "longer than the limits, see docs/configuration.md"))
    return node


def _tokens(span: ExplainedSpan) -> str:
    fact = span.fact
    if fact.unsplit_tokens:
        return f"{fact.unsplit_tokens:,}"
    parts = [
        f"{name} {count:,}"
        for name, count in (
            ("cache read", fact.cache_read_tokens),
            ("cache write", fact.cache_write_tokens),
            ("reasoning", fact.reasoning_tokens),
        )
        if count
    ]
    whole = f"{fact.input_tokens:,} in, {fact.output_tokens:,} out"
    return f"{whole} ({', '.join(parts)})" if parts else whole


def _source(source: FieldSource) -> Iterable[Text]:
    for given in source.given[:_LOST]:
        yield _line(source.field, _cut(given.value or given.text), _from(given))
    if (more := len(source.given) - _LOST) > 0:
        yield Text(f"  and {more:,} more attributes", style="dim")
    for given in source.lost[:_LOST]:
        yield _line(f"  not {source.field}", _cut(given.value or given.text), _from(given), style="dim")
    if (more := len(source.lost) - _LOST) > 0:
        yield Text(f"  and {more:,} more that rank lower", style="dim")


def _from(given: Given) -> str:
    if not given.text or given.text == given.value:
        return given.key
    return f"{given.key} = {_cut(given.text)}"


def _named(name: str, some: Sequence[Named]) -> Iterable[Text]:
    if not some:
        yield _line(name, "none", "no span names one")
    for number, each in enumerate(some[:_LOST]):
        label = name if not number else f"  not {name}"
        yield _line(label, _cut(each.value), f"{each.key} on {each.span}", style="dim" if number else "")


def _line(name: str, value: str, why: str, style: str = "") -> Text:
    return Text.assemble(
        (f"{name}  ", "dim"), (_printable(value), style), (f"  ← {_printable(why)}" if why else "", "dim")
    )


def _cut(text: str) -> str:
    line = _printable(text[: 4 * _SHOWN])
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def _printable(text: str) -> str:
    """On one line, without what could move the cursor."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())
