"""Why calls of a model have no known cost, and what to write into a price file."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field
from rich.console import Group, RenderableType
from rich.text import Text

from spanloom.commands.viewing import show
from spanloom.spans.pricing.unpriced import KnownPrices, price_entry, sentence, why_unpriced
from spanloom.warehouse.queries.answers import ModelUsage


class UnpricedModel(ModelUsage):
    """A model with calls whose cost is not known."""

    reasons: list[str] = Field(description="Why, and of how many calls.")
    price_entry: str = Field(
        description="Lines for a price file, the prices left to fill in; empty where none helps."
    )


def explained(rows: Sequence[ModelUsage], known: KnownPrices) -> list[UnpricedModel]:
    """Each model with the reasons why calls of it have no known cost."""
    return [_explained(row, known) for row in rows]


def _explained(row: ModelUsage, known: KnownPrices) -> UnpricedModel:
    told = row.unpriced_call_count - row.only_total_call_count - row.untold_call_count
    # What a call of each kind has stored: input tokens, and tokens without a side.
    kinds = ((told, 1, 0), (row.only_total_call_count, 0, 1), (row.untold_call_count, 0, 0))
    reasons, entry = [], ""
    for calls, tokens, unsplit in kinds:
        if calls:
            reason = why_unpriced(row.model, row.provider, tokens, 0, unsplit, known)
            reasons.append(f"{_calls(calls)}: {sentence(reason, row.model, row.provider)}")
            if reason.ends_with_a_price:
                entry = price_entry(row.model, row.provider)
    return UnpricedModel(**row.model_dump(), reasons=reasons, price_entry=entry)


def unpriced(rows: Sequence[UnpricedModel]) -> RenderableType:
    """The table of models, then each one's reasons."""
    parts: list[RenderableType] = [show.models_table(rows), Text()]
    for row in rows:
        name = show.preview(row.model) if row.model else Text("no model", style="dim")
        parts.append(Text.assemble(name, f" at {show.preview(row.provider)}" if row.provider else ""))
        parts += [Text(f"    {reason}", style="yellow") for reason in row.reasons]
    if entries(rows):
        parts += [
            Text(),
            Text(
                "For the file that SPANLOOM_WORKER__PRICES_FILE names (docs/pricing.md). Fill in the prices; they hold"
                " for spans that workers read from then on."
            ),
        ]
    return Group(*parts)


def entries(rows: Sequence[UnpricedModel]) -> str:
    """The lines for a price file, of each model once; not to be wrapped, for they are to be copied."""
    # Case makes no difference there.
    found = {row.price_entry.lower(): row.price_entry for row in reversed(rows) if row.price_entry}
    return "\n\n".join(reversed(found.values()))


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number:,} calls"
