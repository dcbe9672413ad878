"""Who may send, and when that changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.datastructures import Headers

from spanloom import watched_file
from spanloom.receiver.access import Access
from spanloom.receiver.keys import KeysError, entry, hash_of
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.settings import ReceiverSettings


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_file, "LOOK", 0)


def project(access: Access, key: str) -> str | None:
    try:
        return access.project({"authorization": f"Bearer {key}"})
    except Refused:
        return None


def write(path: Path, *pairs: tuple[str, str]) -> None:
    path.write_text("\n".join(entry(project, key) for project, key in pairs))


def test_without_keys_any_key_or_none_is_taken_for_the_default_project() -> None:
    access = Access(ReceiverSettings())
    assert project(access, "anything") == "default"
    assert access.project({}) == "default"


OWN_HOST = {"Host": "127.0.0.1:4318"}


@pytest.mark.parametrize(
    "headers",
    [
        OWN_HOST | {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        OWN_HOST | {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:3000"},
        OWN_HOST | {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        OWN_HOST | {"Origin": "https://evil.example"},  # a browser before 2023
        {"Host": "evil.example:4318", "Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example:4318"},
        {"Host": ""},
    ],
    ids=str,
)
def test_without_keys_no_page_from_elsewhere_may_send(headers: dict[str, str]) -> None:
    access = Access(ReceiverSettings(cors_origins="https://app.example"))
    with pytest.raises(Refused) as refused:
        access.project(Headers(headers))
    assert (refused.value.reason.http_status, refused.value.reason.name) == (403, "FOREIGN")


@pytest.mark.parametrize("origins", ["*", "http://b.example, https://app.example"])
def test_a_page_of_a_named_origin_may(origins: str) -> None:
    access = Access(ReceiverSettings(cors_origins=origins))
    page = OWN_HOST | {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}
    assert access.project(Headers(page)) == "default"
    with pytest.raises(Refused, match="RECEIVER__HOSTS"):
        access.project(Headers(page | {"Host": "evil.example"}))


def test_names_can_be_added() -> None:
    access = Access(ReceiverSettings(hosts="a.example, host.docker.internal"))
    assert access.project(Headers({"Host": "host.docker.internal:4318"})) == "default"
    with pytest.raises(Refused, match="RECEIVER__HOSTS"):
        access.project(Headers({"Host": "b.example:4318"}))


def test_with_keys_the_key_decides_whoever_sends_it() -> None:
    access = Access(ReceiverSettings(keys=f"bank:{hash_of('two').hex()}"))
    page = {"Host": "otlp.example", "Sec-Fetch-Site": "cross-site", "Origin": "https://app.example"}
    assert access.project(Headers(page | {"x-api-key": "two"})) == "bank"


def test_keys_of_the_setting_and_of_the_file_both_open(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file), keys=f"bank:{hash_of('two').hex()}"))
    assert (project(access, "one"), project(access, "two"), project(access, "three")) == (
        "shop",
        "bank",
        None,
    )


def test_keys_of_the_setting_open_without_a_file() -> None:
    access = Access(ReceiverSettings(keys=f"bank:{hash_of('two').hex()}"))
    assert (project(access, "two"), project(access, "three")) == ("bank", None)


def test_a_missing_key_and_a_wrong_one_have_sentences_of_their_own(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file)))
    with pytest.raises(Refused, match="There is no API key") as refused:
        access.project({})
    assert refused.value.reason is Reason.NO_KEY
    with pytest.raises(Refused, match="is not known"):
        access.project({"x-api-key": "two"})


@pytest.mark.parametrize("text", ["", "key = []"])
def test_a_file_without_keys_stops_the_start(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)
    with pytest.raises(KeysError, match="spanloom keys new"):
        Access(ReceiverSettings(keys_file=str(file)))


def test_a_broken_file_stops_the_start_and_names_it(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_bytes(b"\xff")
    with pytest.raises(KeysError, match=r"keys file .*keys\.toml can't be read: it is not UTF-8"):
        Access(ReceiverSettings(keys_file=str(file)))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file), keys=f"bank:{hash_of('two').hex()}"))
    write(file, ("shop", "three"), ("lab", "four"))
    assert [project(access, key) for key in ("one", "two", "three", "four")] == [None, "bank", "shop", "lab"]


def test_a_file_that_breaks_leaves_the_keys_as_they_were(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file)))
    file.write_text("[[key]]\nproject =")
    assert project(access, "one") == "shop"
    assert f"the keys file {file} can't be used: it is not TOML" in caplog.text
    write(file, ("shop", "two"))
    assert (project(access, "one"), project(access, "two")) == (None, "shop")
