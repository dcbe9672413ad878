"""The file with the user's own keys."""

from __future__ import annotations

from spanloom.commands.serving.toml_file import TomlFileError, read_entries
from spanloom.spans.conventions.own_entries import OwnKeysError, read_own_keys
from spanloom.spans.conventions.own_keys import OwnKey, with_own_keys
from spanloom.spans.conventions.vocabulary import Vocabulary


class ConventionsFileError(Exception):
    """The file can't be used; `mistakes` has a sentence for each mistake, which says where and what to change."""

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


def read_keys(path: str) -> tuple[OwnKey, ...]:
    """Read a TOML file with one table `[[key]]` a key (`spanloom.spans.conventions.own_keys`); no path, no keys.

    Raises:
        ConventionsFileError: it can't be read, is no TOML, or some keys are impossible.
    """
    if not path:
        return ()
    try:
        return read_own_keys(read_entries(path, "key"))
    except TomlFileError as error:
        raise ConventionsFileError(str(error)) from None
    except OwnKeysError as error:
        raise ConventionsFileError(*(f"{path}, {mistake}" for mistake in error.mistakes)) from None


def read_vocabulary(path: str) -> Vocabulary:
    """The built-in conventions and the keys of a file; no path, no keys of one's own. Raises as `read_keys` does."""
    return with_own_keys(read_keys(path), path)
