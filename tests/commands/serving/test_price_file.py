"""The file with the user's own prices: what it gives, and one sentence for what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanloom.commands.serving.price_file import PriceFileError, read_prices
from spanloom.spans.pricing.prices import Prices, TokenUsage

DOLLAR = 10**12


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "prices.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_file_of_prices(tmp_path: Path) -> None:
    table = read_prices(written(tmp_path, '[[price]]\nmodel = "mine-*"\ninput = 0.1\noutput = 2\n'))
    cost = Prices(table).price("mine-1", "", 0, TokenUsage(10**6, 10**6))
    assert cost is not None
    assert (cost.input, cost.output) == (DOLLAR // 10, 2 * DOLLAR)


def test_no_file_and_an_empty_file_hold_no_prices(tmp_path: Path) -> None:
    assert len(read_prices("")) == 0
    assert len(read_prices(written(tmp_path, "# none yet\n"))) == 0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff", "is no UTF-8"),
        ("[[price]", "is no valid TOML: "),
        ("a = " + "9" * 5000, "is no valid TOML: "),
        ("a = " + "[" * 5000, "write each price under a line `[[price]]`"),
        ("[prices]\n", "holds `prices`: write each price under a line `[[price]]`"),
        ("[price]\n", "holds `price`: write each price under a line `[[price]]`"),
        ("price = [1]\n", "prices.toml, price 1 is no table"),
        (
            '[[price]]\nmodel = "m"\ninput = -1\noutput = 0',
            "prices.toml, price 1 (m): `input` must be from 0",
        ),
        ('[[price]]\nmodel = "m"\ninput = nan\noutput = 0', "price 1 (m): `input` must be from 0"),
        ('[[price]]\nmodel = "m"\ninput = 1e999\noutput = 0', "price 1 (m): `input` must be from 0"),
        ('[[price]]\nmodel = "m"\ninput = 1\noutput = 0\nfrom = 10:00:00', "`from` must be a date"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(PriceFileError) as caught:
        read_prices(path)
    assert sentence in str(caught.value)
    assert path in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_can_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="can't be read"):
        read_prices(str(tmp_path / "missing.toml"))
    with pytest.raises(PriceFileError, match="can't be read"):
        read_prices(str(tmp_path))
