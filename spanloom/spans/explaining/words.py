"""What decided on the input and output of a trace."""

from __future__ import annotations

from spanloom.spans.explaining.standing import named
from spanloom.spans.folding.fact import Fact
from spanloom.spans.folding.trace.calls import Calls
from spanloom.spans.folding.trace.tree import Tree
from spanloom.spans.folding.trace.words import longest_within, main_calls, messages_of, witnesses_of
from spanloom.spans.table import INPUT_IS_MESSAGE, INPUT_OF_TRACE, OUTPUT_IS_MESSAGE, OUTPUT_OF_TRACE


def why_input(tree: Tree, calls: Calls, root: int, asked: str) -> str:
    """Why this is the input of a trace; empty where it has none.

    What the rules had to choose from comes from them; which they chose shows in the result.
    """
    if not asked:
        return ""
    if says := _of_trace(tree, INPUT_OF_TRACE):
        return f"{named(says)} says that this is the input of the whole trace"
    witness, _ = witnesses_of(tree, root)
    messages = messages_of(tree, main_calls(tree, calls), INPUT_IS_MESSAGE)
    if messages and messages[0].input_preview == asked:
        return f"the user's last message in {named(messages[0])}, the first main call"
    if messages:
        return (
            f"a text in what {_recorder(witness)}, which stands in the message of {named(messages[0])}: the rest there"
            " is a template"
        )
    return f"what {_recorder(witness)}"


def why_output(tree: Tree, calls: Calls, root: int, answered: str) -> str:
    """Why this is the output of a trace; empty where it has none."""
    if not answered:
        return ""
    if says := _of_trace(tree, OUTPUT_OF_TRACE):
        return f"{named(says)} says that this is the output of the whole trace"
    _, witness = witnesses_of(tree, root)
    answers = messages_of(tree, main_calls(tree, calls), OUTPUT_IS_MESSAGE)
    heard = _texts(witness)
    for fact in reversed(answers):
        if fact.output_preview == answered:
            if any(longest_within([answered], text) for text in heard):
                return f"the answer of {named(fact)}, a main call: it stands in what {_recorder(witness)}"
            return f"the answer of {named(fact)}, the last main call that has one"
    for fact in reversed(answers):
        if answered in heard and longest_within([answered], fact.output_preview):
            return f"a text in what {_recorder(witness)}, which stands in the answer of {named(fact)}"
    if answered in heard:
        return f"what {_recorder(witness)}"
    told = next((fact for fact in tree.spans if fact.output_preview == answered), None)
    return f"what {named(told)}, the outermost agent or chain with words, recorded" if told else ""


def _texts(witness: Fact | None) -> tuple[str, ...]:
    if witness is None or not witness.output_preview:
        return ()
    return (witness.output_preview, *(witness.inside.output_texts if witness.inside else ()))


def _recorder(witness: Fact | None) -> str:
    name = named(witness) if witness else "no span"
    return f"{name}, the outermost span that records an input or output, recorded"


def _of_trace(tree: Tree, mark: int) -> Fact | None:
    return next((fact for fact in tree.spans if fact.marks & mark), None)
