"""The state of one partition of the sessions stage: the contributions to every open session window.

Each contribution is a changelog record of its own, so that a session of many traces is never written as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from spanloom.agents.state.clock import timestamp_of, version_above
from spanloom.agents.state.entry import ChangelogRecord, Changes
from spanloom.agents.state.keyed import KeyedState
from spanloom.agents.state.novelty import Novelty
from spanloom.agents.state.stored import StoredWindow, WrittenRow
from spanloom.schemas import facts_pb2
from spanloom.spans.folding.contribution import Contribution, WindowKey, from_message, to_message
from spanloom.spans.folding.rows import WindowRow
from spanloom.spans.folding.running_session import RunningSession
from spanloom.spans.folding.session_fold import SessionWindow, fold

_KEY = Struct(">16sqH")  # trace ID, window start, length of the project; project and session follow

_NO_TRACE = bytes(16)

_FEW = 64
"""Contributions up to which a window is folded as a whole each time: that is fast then, and takes no memory."""


@dataclass(slots=True)
class OpenWindow:
    """One window of one session: its contributions by trace, withdrawn ones too."""

    contributions: dict[bytes, Contribution] = field(default_factory=dict)
    version: int = 0
    last_news: int = 0
    found_again: bool = False
    unsaved: set[bytes] = field(default_factory=set)
    running: RunningSession | None = None
    """Its sums, kept up to date, once it is large and has been written."""

    def add(self, contribution: Contribution) -> bool:
        """Add a contribution; the higher version of a trace's wins. Return whether it did."""
        known = self.contributions.get(contribution.trace_id)
        if known is not None and known.version >= contribution.version:
            return False
        self.contributions[contribution.trace_id] = contribution
        self.unsaved.add(contribution.trace_id)
        if self.running is not None:
            self.running.replace(known, contribution)
        return True

    def sums(self, key: WindowKey) -> SessionWindow | None:
        """Return what its row says; None where no trace is left in it."""
        if self.running is None:
            if len(self.contributions) <= _FEW:
                return fold(key, self.contributions.values())
            self.running = RunningSession(self.contributions)
        return self.running.window(key)


@dataclass(slots=True)
class SessionChanges(Changes):
    """What a batch changed: rows, and records of the changelog."""

    rows: list[WindowRow] = field(default_factory=list)

    @property
    def newest(self) -> WrittenRow | None:
        """The row of the highest version."""
        return max((WrittenRow(row.version, row.key) for row in self.rows), default=None)


class SessionPartition(KeyedState[WindowKey, Contribution, OpenWindow, StoredWindow, SessionChanges]):
    """All open session windows of one partition."""

    def novelty(self, key: WindowKey, values: Sequence[Contribution]) -> Novelty:  # noqa: ARG002
        """Whether a window that is not here is certainly new: it began so recently that it would still be here."""
        new = self.clock.surely_remembers(key.project_id, key.window_start * 1000, self._retention)
        return Novelty.NEW if new else Novelty.OLD

    def adopt(self, stored: StoredWindow) -> None:
        """Take a window back from ClickHouse: the contributions of its traces, and its row's version."""
        window = self._entry(stored.key)
        window.found_again = True
        self._raise(window, version_above(window.version, stored.version))
        # Every one must be added, so no any() over a generator.
        if [contribution for contribution in stored.contributions if window.add(contribution)]:
            self._changed[stored.key] = window

    def _new(self, now: int) -> OpenWindow:
        return OpenWindow(last_news=now)

    def _add(self, key: WindowKey, entry: OpenWindow, value: Contribution) -> tuple[bool, bool]:  # noqa: ARG002
        added = entry.add(value)
        return added, added

    def _write(self, changed: dict[WindowKey, OpenWindow]) -> SessionChanges:
        changes = SessionChanges()
        for key, window in changed.items():
            changes.rows.append(WindowRow(key, window.version, window.sums(key)))
            for trace_id in window.unsaved:
                message = to_message(window.contributions[trace_id], applied=window.version)
                changes.changelog.append((_record_key(key, trace_id), message.SerializeToString()))
            window.unsaved.clear()
        return changes

    def _latest_start(self, key: WindowKey, entry: OpenWindow) -> int:  # noqa: ARG002
        return key.window_start * 1000

    def _forgotten(self, key: WindowKey, entry: OpenWindow) -> list[bytes]:
        return [_record_key(key, trace_id) for trace_id in entry.contributions]

    def _restore(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self._drop(*_read_key(key))
            return
        message = facts_pb2.Contribution.FromString(value)
        contribution = from_message(message)
        window = self._entry(contribution.window)
        window.found_again = True
        window.last_news = max(window.last_news, timestamp_of(message.applied))
        window.add(contribution)
        window.unsaved.clear()

    def _name(self, key: WindowKey) -> bytes:
        return _record_key(key, _NO_TRACE)

    def _named(self, name: bytes) -> WindowKey:
        return _read_key(name)[0]

    def _keys_of(self, record: ChangelogRecord) -> Iterable[WindowKey]:
        return (_read_key(record[0])[0],)

    def _drop(self, key: WindowKey, trace_id: bytes) -> None:
        window = self._open.get(key)
        if window is not None:
            window.contributions.pop(trace_id, None)
            if not window.contributions:
                del self._open[key]


def _record_key(key: WindowKey, trace_id: bytes) -> bytes:
    project = key.project_id.encode()
    return _KEY.pack(trace_id, key.window_start, len(project)) + project + key.session_id.encode()


def _read_key(record_key: bytes) -> tuple[WindowKey, bytes]:
    trace_id, start, length = _KEY.unpack_from(record_key)
    project = record_key[_KEY.size : _KEY.size + length].decode()
    return WindowKey(project, record_key[_KEY.size + length :].decode(), start), trace_id
