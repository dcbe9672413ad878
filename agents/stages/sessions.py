"""sessions: contributions become session windows. Holds the contributions to each open window; its sums follow."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from spanloom.agents.stages.keyed import KeyedStage, Target
from spanloom.agents.state.sessions import SessionChanges
from spanloom.agents.state.stored import StoredWindow
from spanloom.kafka.topics import SESSIONS_CHANGELOG
from spanloom.spans.folding import contribution as contributions
from spanloom.spans.folding.contribution import Contribution, WindowKey
from spanloom.spans.folding.rows import window_table


class Sessions(KeyedStage[WindowKey, Contribution, StoredWindow, SessionChanges]):
    """The work of the third stage."""

    name = "sessions"
    target = Target("session_windows_versions", SESSIONS_CHANGELOG)
    holds = "trace facts"

    def _decode(self, value: bytes) -> list[tuple[WindowKey, Contribution]]:
        return [(contribution.window, contribution) for contribution in contributions.decode(value)]

    def _rows(self, changes: Sequence[SessionChanges]) -> pa.Table:
        return window_table([row for some in changes for row in some.rows])
