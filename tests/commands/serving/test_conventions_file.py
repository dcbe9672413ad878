"""The file with the user's own keys: what it gives, and a sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from spanloom.commands.serving.conventions_file import ConventionsFileError, read_keys, read_vocabulary
from spanloom.spans.conventions.fields import Field
from spanloom.spans.conventions.vocabulary import BUILT_IN


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "keys.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_a_file_of_keys(tmp_path: Path) -> None:
    path = written(tmp_path, '[[key]]\nname = "acme"\nfield = "model"\n')
    assert [own.name for own in read_keys(path)] == ["acme"]
    vocabulary = read_vocabulary(path)
    assert vocabulary.precedence[Field.MODEL][0] == "acme"
    assert vocabulary.conventions[-1].source == path


def test_no_file_and_an_empty_file_hold_no_keys(tmp_path: Path) -> None:
    assert read_vocabulary("") is BUILT_IN
    assert read_vocabulary(written(tmp_path, "# none yet\n")) is BUILT_IN


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"\xff", ["is no UTF-8"]),
        ("[[key]", ["is no valid TOML: "]),
        ("[[keys]]\nname = 1", ["holds `keys`: write each key under a line `[[key]]`"]),
        ("key = 1", ["holds `key`: write each key under a line `[[key]]`"]),
        (
            '[[key]]\nname = "a"\nfield = "modle"\n[[key]]\nname = "b"\nfield = "model"\nplace = 1',
            ["key 1 (a): there is no field `modle`", "key 2 (b): `place` must be"],
        ),
    ],
)
def test_every_mistake_is_a_sentence_that_names_the_file(
    tmp_path: Path, content: str | bytes, sentences: list[str]
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConventionsFileError) as caught:
        read_vocabulary(path)
    assert len(caught.value.mistakes) == len(sentences)
    for mistake, sentence in zip(caught.value.mistakes, sentences, strict=True):
        assert mistake.startswith(path)
        assert sentence in mistake


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConventionsFileError, match="can't be read"):
        read_keys(str(tmp_path / "missing.toml"))
