"""Everything at once."""

from __future__ import annotations

import signal

from tests.chaos.fault import fault
from tests.chaos.faults.senders import three_times
from tests.chaos.scene import Scene


@fault("workers, brokers and ClickHouse are killed at random", workers=3, quick=True, sends=three_times)
def storm(scene: Scene) -> None:
    for _ in range(8):
        scene.pause(0.5, 3)
        match scene.random.randrange(4):
            case 0:
                broker = scene.random.choice(scene.cluster.brokers)
                broker.kill()
                scene.pause(0, 3)
                broker.start()
            case 1:
                scene.database.stop(signal.SIGKILL)
                scene.pause(0, 3)
                scene.database.start()
            case 2:
                with scene.any_worker().suspended():
                    scene.pause(5, 9)
            case _:
                scene.kill(scene.any_worker())
