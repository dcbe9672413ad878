"""A ClickHouse that is away, killed, full, wrong, cut off or another one."""

from __future__ import annotations

import shutil
import signal

from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.fixtures_local import wait_until
from tests.integration.outages import disk
from tests.integration.outages.gate import http

_ANSWERS = (
    http("500 Internal Server Error", "Server got itself in trouble"),
    http("502 Bad Gateway", "<html>a proxy without a server</html>"),
    http("500 Internal Server Error", "Code: 252. DB::Exception: Too many parts. (TOO_MANY_PARTS)\n", 252),
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf",
)


@fault("ClickHouse is away for three quarters of the time")
def away(scene: Scene) -> None:
    scene.pause(2, 4)
    scene.database.stop()
    scene.pause(0.75 * scene.seconds, 0.75 * scene.seconds)
    scene.database.start()


@fault("ClickHouse is killed, again and again", quick=True)
def killed(scene: Scene) -> None:
    for _ in range(4):
        scene.pause(1, 4)
        scene.database.stop(signal.SIGKILL)
        scene.pause(0, 1)
        scene.database.start()


@fault("connections to ClickHouse are cut: nobody knows whether a write was done")
def cut(scene: Scene) -> None:
    for _ in range(40):
        scene.pause(0.05, 0.6)
        scene.gate.open()  # cuts those that are there


@fault("ClickHouse answers errors, nothing, or half an answer")
def errors(scene: Scene) -> None:
    for answer in _ANSWERS:
        scene.pause(1, 2)
        scene.gate.answer(answer)
        scene.pause(1, 3)
        scene.gate.open()


@fault("ClickHouse's disk is full for a while")
def full_disk(scene: Scene) -> None:
    scene.pause(2, 4)
    with disk.full(scene.folder / "data"):
        scene.pause(6, 8)


@fault("the database is lost, and what Kafka holds is read again (`spanloom rewind`)")
def lost(scene: Scene) -> None:
    scene.sending.wait(0.5)
    with scene.away(*scene.workers):
        scene.installation.sql("DROP DATABASE spanloom SYNC")
        scene.installation.spanloom("migrate")
        _rewind(scene)


@fault("an older copy of the database comes up under running workers, and Kafka is read again")
def restored(scene: Scene) -> None:
    data, copy = scene.folder / "data", scene.folder / "copy"
    scene.sending.wait(0.3)
    scene.database.stop()
    shutil.copytree(data, copy, symlinks=True)
    scene.database.start()
    scene.sending.wait(0.7)
    scene.database.stop()
    shutil.rmtree(data)
    copy.rename(data)
    scene.database.start()
    scene.pause(3, 5)  # workers notice before they write, and start again
    scene.ready()
    with scene.away(*scene.workers):
        _rewind(scene)


def _rewind(scene: Scene) -> None:
    """Have all be read again; a worker that left while the group was joining counts as there until its session ends."""

    def is_done() -> bool:
        return scene.installation.run("rewind", "--since", "1h").returncode == 0

    wait_until(is_done, "the group to be rewound")
