"""What is sent: twice, late, out of order, by wrong clocks, among garbage."""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random

from spanloom.kafka.topics import DEAD_LETTERS
from tests.chaos.fault import fault
from tests.chaos.scene import Scene
from tests.chaos.sending import Sent, dated
from tests.fixtures_local import wait_until
from tests.integration.installation import PARTITIONS

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_GARBAGE = b"\xff\x00garbage"


def three_times(records: list[Sent], random: Random) -> Sequence[Sent]:
    """Send every record three times, all in any order, to any partition."""
    again = [Sent(record.value, random.randrange(PARTITIONS)) for record in records for _ in range(3)]
    random.shuffle(again)
    return again


def hours_apart(records: list[Sent], random: Random) -> Sequence[Sent]:
    """Send in any order, a tenth of the records at a time, and eight hours go by between the first and the last."""
    mixed = list(records)
    random.shuffle(mixed)
    now = time.time_ns() // 1_000_000
    return dated(
        mixed,
        [now - 8 * _HOUR + 10 * number // len(mixed) * 8 * _HOUR // 10 for number in range(len(mixed))],
    )


def wrong_clocks(records: list[Sent], random: Random) -> Sequence[Sent]:
    """Send by clocks of which some are right, some two hours slow and some 25 minutes fast."""
    now = time.time_ns() // 1_000_000
    wrong = {0: -2 * _HOUR, 1: 25 * _MINUTE}
    return dated(
        records,
        [
            now + wrong[clock] if (clock := random.randrange(6)) in wrong else None
            for _ in range(len(records))
        ],
    )


def among_garbage(records: list[Sent], random: Random) -> Sequence[Sent]:
    """Send garbage after every fifth record."""
    found: list[Sent] = []
    for number, record in enumerate(records):
        found.append(record)
        if number % 5 == 0:
            cut = record.value[: random.randrange(1, 40)]
            found.append(Sent(random.choice([_GARBAGE, cut + b"\xff"]), record.partition))
    return found


@fault("every message comes three times, in any order", sends=three_times)
def duplicates(scene: Scene) -> None:
    scene.sending.wait()


@fault(
    "spans come hours late, long after their traces were forgotten", sends=hours_apart, WORKER__RETENTION="60"
)
def late(scene: Scene) -> None:
    scene.sending.wait(0.7)
    scene.kill(scene.any_worker())
    scene.sending.wait()


@fault("clocks of senders are fast and slow", sends=wrong_clocks, WORKER__RETENTION="60", quick=True)
def clocks(scene: Scene) -> None:
    for share in (0.3, 0.6):
        scene.sending.wait(share)
        scene.kill(scene.any_worker())
    scene.sending.wait()


@fault("every sixth message is garbage", sends=among_garbage)
def garbage(scene: Scene) -> None:
    scene.sending.wait(0.5)
    scene.kill(scene.any_worker())
    scene.sending.wait()
    sent = len(scene.records) // 6
    wait_until(lambda: len(scene.installation.consume(DEAD_LETTERS)) >= sent, "all dead letters", 60)
