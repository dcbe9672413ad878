"""The file with the user's own prices."""

from __future__ import annotations

from spanloom.commands.serving.toml_file import TomlFileError, read_entries
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
        return PriceTable(read_entries(path, "price"))
    except TomlFileError as error:
        raise PriceFileError(str(error)) from None
    except PriceTableError as error:
        raise PriceFileError(f"{path}, {error}") from None
