"""Brokers that are killed, frozen and restarted."""

from __future__ import annotations

from tests.chaos.fault import fault
from tests.chaos.scene import Scene


@fault("each broker is killed in turn, and started again", quick=True)
def brokers_killed(scene: Scene) -> None:
    for broker in scene.cluster.brokers:
        scene.pause(1, 2)
        broker.kill()
        scene.pause(3, 5)
        broker.start()


@fault("two of three brokers are killed: nothing can be written")
def no_quorum(scene: Scene) -> None:
    scene.pause(2, 4)
    for broker in scene.cluster.brokers[1:]:
        broker.kill()
    scene.pause(10, 12)
    scene.cluster.start()


@fault("all brokers are killed at once")
def all_killed(scene: Scene) -> None:
    scene.pause(2, 4)
    scene.cluster.kill()
    scene.pause(3, 5)
    scene.cluster.start()


@fault("a broker stands still, its connections stay open")
def frozen(scene: Scene) -> None:
    for broker in scene.cluster.brokers[:2]:
        scene.pause(1, 2)
        with scene.cluster.frozen(broker):
            scene.pause(8, 10)
