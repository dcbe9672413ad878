"""What was asked and what was answered, out of all that the spans of a trace record.

A person's words reach a model inside templates, and between question and answer stand routers, planners and reviewers.
The *witness* tells which words are the person's: the root, or the outermost span below it, no call and no tool, that
records an input or output at all. What stands both in the witness and in a call was said to the program and to the
model, or by the model and by the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.calls import LLM, Calls
from spanloom.spans.folding.trace.tree import NO_PARENT, Tree
from spanloom.spans.table import (
    INPUT_IS_MESSAGE,
    INPUT_IS_TEXT,
    INPUT_OF_TRACE,
    OUTPUT_IS_MESSAGE,
    OUTPUT_IS_TEXT,
    OUTPUT_OF_TRACE,
    SPAN_TYPES,
    STATUSES,
)

_TOOL = SPAN_TYPES.index("TOOL")
_ERROR = STATUSES.index("error")
_AGENT = SPAN_TYPES.index("AGENT")
_NARRATORS = _AGENT, SPAN_TYPES.index("CHAIN")

_MEDIA = re.compile(r"\[(?:image|audio|video|file)(?:: [^\]\s]{1,120})?\]")
_QUOTES = "\"'`\\“”‘’"


def words_of(tree: Tree, calls: Calls, root: int) -> tuple[str, str]:
    """Return the input and the output of a trace."""
    spans = tree.spans
    asking, answering = witnesses_of(tree, root)
    main = main_calls(tree, calls)
    asked = next((fact.input_preview for fact in spans if fact.marks & INPUT_OF_TRACE), None)
    answered = next((fact.output_preview for fact in spans if fact.marks & OUTPUT_OF_TRACE), None)
    return (
        _input(tree, main, asking) if asked is None else asked,
        _output(tree, main, answering) if answered is None else answered,
    )


def main_calls(tree: Tree, calls: Calls) -> list[Sequence[int]]:
    """The LLM calls with the fewest spans around them, in order; each as the spans that tell of it, the one that speaks
    for it first. LLM spans around a call are the same call once more and make it no deeper."""
    spans = tree.spans
    found = [(at, group) for at, group in calls.items() if spans[at].span_type == LLM]
    if len(found) > 1:
        depth = [0] * len(spans)
        for at in tree.down:
            above = tree.parent[at]
            if above != NO_PARENT:
                depth[at] = depth[above] + (spans[above].span_type != LLM)
        depths = [min(depth[at] for at in group) for _, group in found]
        fewest = min(depths)
        found = [call for call, its in zip(found, depths, strict=True) if its == fewest]
    return [[at, *(other for other in group if other != at)] for at, group in found]


def witnesses_of(tree: Tree, root: int) -> tuple[Fact | None, Fact | None]:
    """The witness of the input, and that of the output: the root, or the outermost span below it, no call and no tool,
    that records an input or output. Of several in a row the first asks and the last answers: the turns of a whole
    conversation in one trace, which stand beside each other under one name, and agents of a workflow, each of which
    works on what the one before gave."""
    spans = tree.spans
    if _records(spans[root]) and spans[root].span_type != _TOOL:
        return spans[root], spans[root]
    recorders = [at for at, fact in enumerate(spans) if _is_recorder(fact)]
    if not recorders:
        tool = _asking_tool(tree)
        return tool, tool
    depth = _depths(tree)
    at_first = _outermost(recorders, depth)
    first = spans[at_first]
    answering = [
        spans[at]
        for at in recorders
        if depth[at] == depth[at_first] and spans[at].output_preview and _goes_on(tree, at_first, at)
    ]
    return first, answering[-1] if answering else first


def _asking_tool(tree: Tree) -> Fact | None:
    """The outermost tool with texts that has a call of a model inside: where no other span has a word, it is a function
    that fills a template and asks (Semantic Kernel)."""
    spans = tree.spans
    told = [at for at, fact in enumerate(spans) if _records(fact)]
    if not told or any(spans[at].span_type != _TOOL for at in told):
        return None
    asks = [fact.span_type == LLM for fact in spans]
    for at in reversed(tree.down):
        if asks[at] and tree.parent[at] != NO_PARENT:
            asks[tree.parent[at]] = True
    asking = [at for at in told if asks[at]]
    return spans[_outermost(asking, _depths(tree))] if asking else None


def _goes_on(tree: Tree, first: int, other: int) -> bool:
    """Whether a span as far out as the first is a turn of the same conversation, or a later agent of the same workflow:
    each agent stands in a step of its own there. One beside the first that names the chat does not."""
    its, here = tree.spans[first], tree.spans[other]
    if its.scope != here.scope:
        return False
    if its.parent_span_id == here.parent_span_id:
        return its.name == here.name
    step, its_step = tree.parent[other], tree.parent[first]
    return (
        its.span_type == here.span_type == _AGENT
        and NO_PARENT not in (step, its_step)
        and tree.parent[step] == tree.parent[its_step]
        and here.start_time >= its.start_time + its.duration
    )


def _depths(tree: Tree) -> list[int]:
    """How many spans there are around each."""
    depth = [0] * len(tree.spans)
    for at in tree.down:
        if tree.parent[at] != NO_PARENT:
            depth[at] = depth[tree.parent[at]] + 1
    return depth


def _outermost(some: Iterable[int], depth: Sequence[int]) -> int:
    """Of some spans the one with the fewest around it, of equals the first."""
    return min(some, key=lambda at: (depth[at], at))


def _records(fact: Fact) -> bool:
    return bool(fact.input_preview or fact.output_preview)


def _is_recorder(fact: Fact) -> bool:
    return fact.span_type not in (LLM, _TOOL) and _records(fact)


def messages_of(tree: Tree, main: Sequence[Sequence[int]], mark: int) -> list[Fact]:
    """For each main call the span with its message, calls without one left out: one that tells of the call, else the
    nearest LLM span around it that has one."""
    spans = tree.spans
    own = [next((at for at in call if spans[at].marks & mark), None) for call in main]
    if None not in own:
        return [spans[at] for at in own if at is not None]
    around: list[int] = [NO_PARENT] * len(spans)
    for at in tree.down:
        above = tree.parent[at]
        if above != NO_PARENT:
            is_message = spans[above].span_type == LLM and spans[above].marks & mark
            around[at] = above if is_message else around[above]
    borrowed = (around[call[0]] if at is None else at for call, at in zip(main, own, strict=True))
    return [spans[at] for at in borrowed if at != NO_PARENT]


def _input(tree: Tree, main: Sequence[Sequence[int]], witness: Fact | None) -> str:
    messages = messages_of(tree, main, INPUT_IS_MESSAGE)
    message = messages[0].input_preview if messages else ""
    if not message:
        return witness.input_preview if witness else ""
    if witness is None:
        return message
    others = witness.inside.input_texts if witness.inside else ()
    is_text = witness.marks & (INPUT_IS_TEXT | INPUT_IS_MESSAGE)
    asked = longest_within((witness.input_preview, *others) if is_text else others, message)
    if not asked or asked == message:
        return message
    left_over = _folded(_MEDIA.sub("", message)).replace(_folded(asked), "", 1)
    # Pictures and files that came along are no template.
    return asked if left_over else message


def _output(tree: Tree, main: Sequence[Sequence[int]], witness: Fact | None) -> str:
    answers = [fact.output_preview for fact in messages_of(tree, main, OUTPUT_IS_MESSAGE)]
    if witness is not None and witness.output_preview:
        is_text = bool(witness.marks & (OUTPUT_IS_TEXT | OUTPUT_IS_MESSAGE))
        if answers:
            others = witness.inside.output_texts if witness.inside else ()
            texts = (witness.output_preview, *others) if is_text else others
            heard = (witness.output_preview, *texts)
            folded: list[str] = []
            for answer in reversed(answers):
                if any(answer in text for text in heard):
                    return answer
                # Once for all answers: an agent may have thousands.
                folded = folded or [_folded(text) for text in heard]
                within = _folded(answer)
                if any(within in text for text in folded):
                    return answer
            for answer in reversed(answers):
                if text := longest_within(texts, answer):
                    return text
        if is_text:
            # No call said it: a tool or the program did.
            return witness.output_preview
    if answers:
        return answers[-1]
    if witness is not None and witness.status == _ERROR and not witness.output_preview:
        # It failed and gave nothing back, whatever was written on the way.
        return ""
    told = _narrated(tree)
    if told or witness is None:
        return told
    return witness.output_preview


def _narrated(tree: Tree) -> str:
    """The output of the outermost agent or chain that has one in words.

    What lies inside a span whose output is in words tells nothing: its own travel only where it came in a message of
    its own (`reading.witnesses`).
    """
    spans = tree.spans
    inside = bytearray(len(spans))
    for at in tree.down:
        above = tree.parent[at]
        if above != NO_PARENT:
            inside[at] = inside[above] or (
                _is_recorder(spans[above]) and spans[above].marks & OUTPUT_IS_TEXT > 0
            )
    told = [
        at
        for at, fact in enumerate(spans)
        if fact.span_type in _NARRATORS and fact.marks & OUTPUT_IS_TEXT and not inside[at]
    ]
    return spans[_outermost(told, _depths(tree))].output_preview if told else ""


def longest_within(texts: Iterable[str], message: str) -> str:
    """The longest of these texts that stands in a message; empty where none does."""
    folded = ""
    for text in sorted(texts, key=len, reverse=True):
        if text and text in message:
            return text
        folded = folded or _folded(message)
        within = _folded(text)
        if within and within in folded:
            return text
    return ""


def _folded(text: str) -> str:
    """Without white space, quotes and backslashes, which templates, JSON and prints of objects add."""
    text = "".join(text.split())
    for quote in _QUOTES:
        if quote in text:
            text = text.replace(quote, "")
    return text
