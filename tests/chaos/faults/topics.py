"""Topics that are deleted, created anew and enlarged, as an operator would."""

from __future__ import annotations

from spanloom.kafka.topics import SESSIONS_CHANGELOG, SPAN_FACTS, TRACE_FACTS, TRACES_CHANGELOG
from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.integration.outages.topics import SOURCE, create_anew, more_partitions


@fault("the changelogs are deleted and created anew under the workers", quick=True)
def changelogs(scene: Scene) -> None:
    for topic in (TRACES_CHANGELOG, SESSIONS_CHANGELOG):
        scene.pause(1, 3)
        create_anew(scene.installation, topic)
        scene.pause(1, 3)


@fault("the source topic is deleted and created anew, once it was read")
def source(scene: Scene) -> None:
    with scene.lull():
        create_anew(scene.installation, SOURCE)


@fault("both inner topics are deleted and created anew, once they were read")
def inner(scene: Scene) -> None:
    with scene.lull():
        for topic in (SPAN_FACTS, TRACE_FACTS):
            create_anew(scene.installation, topic)


@fault("Kafka is another one, empty, and ClickHouse still the same")
def everything(scene: Scene) -> None:
    with scene.lull(), scene.away(*scene.workers):
        scene.cluster.empty()
        scene.installation.spanloom("topics")


@fault("the source topic gets more partitions")
def enlarged(scene: Scene) -> None:
    scene.pause(2, 4)
    more_partitions(scene.installation, SOURCE)
