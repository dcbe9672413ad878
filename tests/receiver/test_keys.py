"""API keys: how they are written down, how a request names one, and whose it is."""

from __future__ import annotations

import base64
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloom.receiver.keys import (
    Key,
    Keys,
    KeysError,
    entry,
    from_setting,
    from_toml,
    given_key,
    hash_of,
    new_key,
)

DIGEST = hash_of("k").hex()


def test_a_new_key_is_found_by_its_entry_and_no_two_are_the_same() -> None:
    key = new_key()
    keys = Keys(from_toml(entry("shop", key)))
    assert keys.project_of(key) == "shop"
    assert keys.project_of(new_key()) is None


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=50))
def test_any_project_survives_its_entry(project: str) -> None:
    assert from_toml(entry(project, "k")) == [Key(project, hash_of("k"))]


def test_every_hash_is_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(known: bytes, given: bytes) -> bool:
        compared.append(known)
        return known == given

    monkeypatch.setattr(hmac, "compare_digest", compare)
    keys = Keys([Key(str(number), hash_of(str(number))) for number in range(5)])
    assert keys.project_of("0") == "0"
    assert len(compared) == 5


def test_the_key_of_an_example_is_refused() -> None:
    for read, text in (
        (from_toml, entry("shop", "change-me")),
        (from_setting, f"a:{hash_of('change-me').hex()}"),
    ):
        with pytest.raises(KeysError, match="key 1 is the `change-me` of an example") as caught:
            read(text)
        assert "spanloom keys new" in str(caught.value)


def test_nothing_and_a_megabyte_are_unknown_keys() -> None:
    keys = Keys([Key("shop", hash_of("")), Key("shop", hash_of("x" * 2**20))])
    assert keys.project_of("") is None
    assert keys.project_of("x" * 2**20) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[key]]\nproject = 'a'\n", "key 1 must have project and sha256"),
        (f"[[key]]\nproject = 'a'\nsha256 = '{DIGEST}'\nkey = 'secret'\n", "key 1 must have"),
        (f"[[key]]\nproject = ''\nsha256 = '{DIGEST}'\n", "key 1 needs a project of 1 to 200"),
        (f'[[key]]\nproject = "a\\nb"\nsha256 = "{DIGEST}"\n', "key 1 needs a project"),
        (f"[[key]]\nproject = 7\nsha256 = '{DIGEST}'\n", "key 1 needs a project"),
        ("[[key]]\nproject = 'a'\nsha256 = 'secret'\n", "key 1 needs a sha256 of 64"),
        ("key = 7\n", "tables [[key]] only"),
        ("key = [7]\n", "key 1 must have"),
        ("keys = []\n", "tables [[key]] only"),
        ("what is this", "it is not TOML"),
        ("a = " + "[" * 5000, "it is not TOML"),
        ("a = " + "9" * 5000, "it is not TOML"),
    ],
)
def test_a_broken_file_is_reported_in_a_sentence_without_its_contents(text: str, says: str) -> None:
    with pytest.raises(KeysError) as error:
        from_toml(text)
    assert says in str(error.value)
    assert "secret" not in str(error.value)
    assert DIGEST not in str(error.value)


def test_the_setting_takes_projects_with_colons_and_spaces_between() -> None:
    assert from_setting(f" a:b:{DIGEST} ,, c:{DIGEST.upper()},") == [
        Key("a:b", hash_of("k")),
        Key("c", hash_of("k")),
    ]
    with pytest.raises(KeysError, match="key 2 needs a project"):
        from_setting(f"a:{DIGEST},{DIGEST}")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({"authorization": "Bearer k"}, "k"),
        ({"authorization": "bearer   k  "}, "k"),
        ({"authorization": basic("pk-lf-1:sk:2")}, "sk:2"),
        ({"authorization": basic("no colon")}, ""),
        ({"authorization": "Basic !"}, ""),
        ({"authorization": "Basic ké"}, ""),
        ({"authorization": "Basic " + base64.b64encode(b"a:\xff").decode()}, ""),
        ({"authorization": "Basic !", "x-api-key": "k"}, ""),
        ({"authorization": "Bearer", "x-api-key": "k"}, "k"),
        ({"authorization": "Digest abc"}, ""),
        ({"x-api-key": " k "}, "k"),
        ({}, ""),
    ],
)
def test_where_a_request_names_its_key(headers: dict[str, str], key: str) -> None:
    assert given_key(headers) == key


@given(st.text(), st.text())
def test_any_header_is_a_key_or_none(authorization: str, other: str) -> None:
    keys = Keys([Key("shop", hash_of("k"))])
    for kind in ("", "Basic ", "Bearer "):
        found = given_key({"authorization": kind + authorization, "x-api-key": other})
        assert keys.project_of(found) in (None, "shop")


@given(st.binary())
def test_bytes_that_are_not_utf8_as_aiohttp_gives_them_are_an_unknown_key(raw: bytes) -> None:
    given_as = raw.decode("utf-8", "surrogateescape")
    keys = Keys([Key("shop", hash_of("k"))])
    for kind in ("Basic ", "Bearer "):
        assert keys.project_of(given_key({"authorization": kind + given_as})) in (None, "shop")
