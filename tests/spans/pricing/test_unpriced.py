"""Why a call has no known cost follows from what is stored of it; an entry in a price file fits the calls it is for."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.spans.pricing.price_table import PriceTable
from spanloom.spans.pricing.rates import TokenUsage
from spanloom.spans.pricing.unpriced import Reason, price_entry, sentence, why_unpriced
from tests.spans.reading.otlp_examples import PRICES, START

COUNTS = (10, 5, 0)


@pytest.mark.parametrize(
    ("model", "provider", "counts", "reason", "words"),
    [
        ("gpt-4o", "openai", (0, 0, 0), Reason.NO_USAGE, "no usage told: neither tokens nor a cost"),
        (
            "gpt-4o",
            "openai",
            (0, 0, 30),
            Reason.ONLY_TOTAL,
            "only a total told, not how many tokens were input and how many output",
        ),
        ("", "openai", COUNTS, Reason.NO_MODEL, "no model named"),
        ("mystery", "openai", COUNTS, Reason.NO_PRICE, "no price for mystery at openai"),
        ("deepseek-r1", "azure", COUNTS, Reason.NO_PRICE, "no price for deepseek-r1 at azure"),
        (
            "mistralai/Mistral-7B",
            "",
            COUNTS,
            Reason.NO_SELLER,
            "no price for mistralai/Mistral-7B: neither its name nor its provider says who sells it",
        ),
        (
            "mystery",
            "langchain",
            COUNTS,
            Reason.NO_SELLER,
            "no price for mystery at langchain: neither its name nor its provider says who sells it",
        ),
        (
            "llama-3",
            "my-server",
            COUNTS,
            Reason.UNKNOWN_PROVIDER,
            "no price for llama-3 at my-server, a provider of whom no prices are known",
        ),
        (
            "whisper-1",
            "openai",
            COUNTS,
            Reason.NOT_BY_TOKEN,
            "no price by the token for whisper-1 at openai: it is sold by something else, such as time",
        ),
        (
            "gpt-4o",
            "",
            COUNTS,
            Reason.KNOWN_BY_NOW,
            "a price for gpt-4o is known by now: it holds for spans that are read from now on",
        ),
    ],
)
def test_why_a_call_is_unpriced(
    model: str, provider: str, counts: tuple[int, int, int], reason: Reason, words: str
) -> None:
    found = why_unpriced(model, provider, *counts, known=PRICES)
    assert found is reason
    assert sentence(found, model, provider) == words


@pytest.mark.parametrize(
    ("model", "provider", "reason"),
    [
        ("llama-3", "my-server", Reason.NO_PRICE),
        ("gpt-4o", "openai", Reason.NO_PRICE),
        ("mystery", "", Reason.NO_SELLER),
    ],
)
def test_without_the_prices_the_reason_is_less_exact(model: str, provider: str, reason: Reason) -> None:
    assert why_unpriced(model, provider, *COUNTS) is reason


_NAMES = st.text(max_size=40) | st.sampled_from(
    ["gpt-4o", "claude-sonnet-4-5[1m]", 'a"b\\c', "x*y", " z ", "Σ?"]
)
_TOKENS = st.sampled_from([0, 1, 10**12])


@given(_NAMES, _NAMES, _TOKENS, _TOKENS, _TOKENS)
def test_every_call_has_a_reason(model: str, provider: str, into: int, out: int, unsplit: int) -> None:
    for known in (None, PRICES):
        words = sentence(why_unpriced(model, provider, into, out, unsplit, known), model, provider)
        assert words.isprintable()
        assert len(words) < 400


@given(_NAMES, _NAMES)
def test_an_entry_fits_the_calls_it_is_for(model: str, provider: str) -> None:
    entry = price_entry(model, provider)
    if not entry:
        assert not model.strip()
        return
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads(entry)
    filled = entry.replace("\ninput = ", "\ninput = 1.5").replace("\noutput = ", "\noutput = 2.5")
    table = PriceTable(tomllib.loads(filled, parse_float=Decimal)["price"])
    assert table.find(provider, model)


def test_names_too_long_for_a_price_file_have_no_entry() -> None:
    assert price_entry("m" * 257, "p") == price_entry("m", "p" * 257) == ""


def test_only_what_a_price_mends_says_so() -> None:
    assert {reason for reason in Reason if reason.ends_with_a_price} == {
        Reason.NO_SELLER,
        Reason.NO_PRICE,
        Reason.UNKNOWN_PROVIDER,
        Reason.NOT_BY_TOKEN,
    }
    assert PRICES.price("whisper-1", "openai", START, TokenUsage(10, 5)) is None


def test_pages_need_no_price_library() -> None:
    code = "import sys, spanloom.spans.pricing.unpriced; print('genai_prices' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
