"""TOML files with lists of entries: prices, conventions."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path


class TomlFileError(Exception):
    """The file can't be used; the message says which, where and what to change."""


def read_entries(path: str, kind: str) -> list[object]:
    """Read a file with nothing but tables `[[kind]]`, and return them. Its decimals are exact.

    Raises:
        TomlFileError: it can't be read, is no TOML, or holds something else.
    """
    try:
        # Decimal: 0.1 USD is to be a tenth.
        content = tomllib.loads(Path(path).read_bytes().decode(), parse_float=Decimal)
    except OSError as error:
        raise TomlFileError(
            f"{path} can't be read ({error.strerror}): correct the path or its rights"
        ) from None
    except UnicodeDecodeError:
        raise TomlFileError(f"{path} is no UTF-8: save it as UTF-8") from None
    except ValueError as error:
        # Also what TOML's grammar lets through and Python does not, such as a number of 5,000 digits.
        raise TomlFileError(f"{path} is no valid TOML: {error}: correct it") from None
    except RecursionError:
        raise TomlFileError(
            f"{path} is nested too deep: write each {kind} under a line `[[{kind}]]`"
        ) from None
    others = [name for name in content if name != kind]
    entries = content.get(kind, [])
    if others or not isinstance(entries, list):
        raise TomlFileError(
            f"{path} holds `{others[0] if others else kind}`: write each {kind} under a line `[[{kind}]]`"
        )
    return entries
