"""Who may send, and when that changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from spanloom.receiver import access as access_module
from spanloom.receiver.access import Access
from spanloom.receiver.keys import KeysError, entry, hash_of
from spanloom.receiver.refusals import Reason, Refused
from spanloom.receiver.settings import ReceiverSettings
from tests.fixtures_local import wait_until


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "RELOAD", 0.01)


def project(access: Access, key: str) -> str | None:
    try:
        return access.project({"authorization": f"Bearer {key}"})
    except Refused:
        return None


async def until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_until, condition, "the keys to be read again")


def watching(access: Access, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        watch = asyncio.create_task(access.watch())
        try:
            await work()
            assert not watch.done()
        finally:
            watch.cancel()

    asyncio.run(run())


def write(path: Path, *pairs: tuple[str, str]) -> None:
    path.write_text("\n".join(entry(project, key) for project, key in pairs))


def test_the_open_door_takes_any_key_or_none_for_the_default_project() -> None:
    access = Access(ReceiverSettings())
    assert project(access, "anything") == "default"
    assert access.project({}) == "default"


def test_keys_of_the_setting_and_of_the_file_both_open(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file), keys=f"bank:{hash_of('two').hex()}"))
    assert (project(access, "one"), project(access, "two"), project(access, "three")) == (
        "shop",
        "bank",
        None,
    )


def test_a_missing_key_and_a_wrong_one_are_told_apart(tmp_path: Path) -> None:
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
    with pytest.raises(KeysError, match=r"keys\.toml: it can't be read"):
        Access(ReceiverSettings(keys_file=str(file)))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file)))

    async def work() -> None:
        write(file, ("shop", "two"), ("bank", "three"))
        await until(lambda: project(access, "two") == "shop")
        assert project(access, "one") is None

    watching(access, work)


def test_a_link_that_is_moved_as_kubernetes_does_is_followed(tmp_path: Path) -> None:
    for name, key in (("..1", "one"), ("..2", "two")):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "keys.toml", ("shop", key))
    # Of one size and one time: only the inode tells.
    stat = (tmp_path / "..1" / "keys.toml").stat()
    os.utime(tmp_path / "..2" / "keys.toml", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "keys.toml").symlink_to("..data/keys.toml")
    access = Access(ReceiverSettings(keys_file=str(tmp_path / "keys.toml")))
    assert project(access, "one") == "shop"

    async def work() -> None:
        (tmp_path / "..next").symlink_to("..2")
        (tmp_path / "..next").rename(tmp_path / "..data")
        await until(lambda: project(access, "two") == "shop")
        assert project(access, "one") is None

    watching(access, work)


def test_a_file_that_breaks_or_goes_away_leaves_the_keys_as_they_were(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.toml"
    write(file, ("shop", "one"))
    access = Access(ReceiverSettings(keys_file=str(file)))

    async def work() -> None:
        file.write_text("[[key]]\nproject =")
        await until(lambda: "is not TOML" in caplog.text)
        file.unlink()
        await until(lambda: "can't be read" in caplog.text)
        assert project(access, "one") == "shop"
        write(file, ("shop", "two"))
        await until(lambda: project(access, "two") == "shop")

    watching(access, work)
