"""The file with the user's own prices."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

from spanloom.spans.pricing.price_table import PriceTable, PriceTableError


class PriceFileError(Exception):
    """The file can't be used; the message says which, where and what to change."""


def read_prices(path: str) -> PriceTable:
    """Read a TOML file with one table `[[price]]` a price (`spanloom.spans.pricing.price_table`); no path, no prices.

    Raises:
        PriceFileError: it can't be read, is no TOML, or a price is impossible.
    """
    if not path:
        return PriceTable()
    try:
        # Decimal: 0.1 USD is to be a tenth.
        content = tomllib.loads(Path(path).read_bytes().decode(), parse_float=Decimal)
    except OSError as error:
        raise PriceFileError(
            f"{path} can't be read ({error.strerror}): correct the path or its rights"
        ) from None
    except UnicodeDecodeError:
        raise PriceFileError(f"{path} is no UTF-8: save it as UTF-8") from None
    except ValueError as error:
        # Also what TOML's grammar lets through and Python does not, such as a number of 5,000 digits.
        raise PriceFileError(f"{path} is no valid TOML: {error}: correct it") from None
    except RecursionError:
        raise PriceFileError(
            f"{path} is nested too deep: write each price under a line `[[price]]`"
        ) from None
    others = [name for name in content if name != "price"]
    entries = content.get("price", [])
    if others or not isinstance(entries, list):
        raise PriceFileError(
            f"{path} holds `{others[0] if others else 'price'}`: write each price under a line `[[price]]`"
        )
    try:
        return PriceTable(entries)
    except PriceTableError as error:
        raise PriceFileError(f"{path}, {error}") from None
