"""What a fault is, and the list of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.chaos.scene import Scene
from tests.chaos.sending import Sent

Act = Callable[[Scene], None]
"""What is done while the load goes on; it returns when nothing is broken any more."""

Change = Callable[[list[Sent], Random], Sequence[Sent]]
"""Makes of the load what is sent instead: the same spans, so the same rows."""


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    name: str
    act: Act
    workers: int
    quick: bool
    sends: Change
    settings: Mapping[str, str] = field(default_factory=dict)


FAULTS: list[Fault] = []
"""In the order of the table."""


def as_it_is(records: list[Sent], random: Random) -> Sequence[Sent]:  # noqa: ARG001 - a `Change`
    """Send the load unchanged."""
    return records


def fault(
    name: str, *, workers: int = 2, quick: bool = False, sends: Change = as_it_is, **settings: str
) -> Callable[[Act], Act]:
    """Enter a fault into the table.

    Args:
        quick: whether it is part of the subset that `.ci/run` runs.
        settings: of the workers, without the prefix SPANLOOM_.
    """

    def enter(act: Act) -> Act:
        environment = {f"SPANLOOM_{key}": value for key, value in settings.items()}
        FAULTS.append(Fault(name, act, workers, quick, sends, environment))
        return act

    return enter
