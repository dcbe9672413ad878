"""Workers that are killed, held up, stopped, started and moved."""

from __future__ import annotations

from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.fixtures_local import wait_until


@fault("a worker is killed, again and again", workers=3, quick=True)
def killed(scene: Scene) -> None:
    for _ in range(6):
        scene.pause(0.5, 4)
        scene.kill(scene.any_worker())


@fault("all workers are killed at once, twice", workers=3)
def all_killed(scene: Scene) -> None:
    for _ in range(2):
        scene.pause(2, 5)
        with scene.away(*scene.workers, kill=True):
            scene.pause(0, 3)


@fault("a worker is killed, and again while it reads its state", WORKER__BATCH_BYTES="65536")
def killed_in_recovery(scene: Scene) -> None:
    scene.sending.wait(0.3)
    victim = scene.any_worker()
    for _ in range(3):
        with scene.away(victim, kill=True):
            before = len(victim.log)
        wait_until(lambda before=before: "Restoring state" in victim.log[before:], "a recovery", 60)  # type: ignore[misc]


@fault("a worker stands still while others take over, and goes on (a zombie)", workers=3, quick=True)
def zombie(scene: Scene) -> None:
    for _ in range(2):
        scene.pause(1, 3)
        with scene.any_worker().suspended():
            scene.pause(8, 10)  # longer than its session


@fault("two workers become four, and one", workers=2)
def scaled(scene: Scene) -> None:
    for _ in range(2):
        scene.pause(1, 2)
        scene.add_worker()
    scene.pause(1, 2)
    with scene.away(*scene.workers[:3]):
        scene.sending.wait()


@fault("rolling restart", workers=3)
def rolling_restart(scene: Scene) -> None:
    for worker in scene.workers:
        scene.pause(1, 2)
        with scene.away(worker):
            pass
        wait_until(lambda worker=worker: worker.probe("/ready") == 200, f"{worker.name} ready", 90)  # type: ignore[misc]
