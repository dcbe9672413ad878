"""The state of one partition of the sessions stage: the contributions to every open session window.

Pure bookkeeping, no I/O, as in `trace_state`. Each contribution is a changelog record of its own, so that a
session of many traces is never written as a whole.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from struct import Struct

from spanloom.agents.state.clock import CLOCK_RECORD, StreamClock, next_version, timestamp_of
from spanloom.schemas import facts_pb2
from spanloom.spans.folding.contribution import Contribution, WindowKey, from_message, to_message
from spanloom.spans.folding.rows import WindowRow
from spanloom.spans.folding.session_fold import fold

_KEY = Struct(">16sqH")  # trace ID, window start, length of the project; project and session follow


@dataclass(slots=True)
class OpenWindow:
    """One window of one session: its contributions by trace, withdrawn ones too."""

    contributions: dict[bytes, Contribution] = field(default_factory=dict)
    version: int = 0
    last_news: int = 0
    unsaved: set[bytes] = field(default_factory=set)

    def add(self, contribution: Contribution) -> bool:
        """Add a contribution; the higher version of a trace's wins. Return whether it did."""
        known = self.contributions.get(contribution.trace_id)
        if known is not None and known.version >= contribution.version:
            return False
        self.contributions[contribution.trace_id] = contribution
        self.unsaved.add(contribution.trace_id)
        return True


@dataclass(slots=True)
class SessionChanges:
    """What a batch changed: rows, and records (key, value) of the changelog."""

    rows: list[WindowRow] = field(default_factory=list)
    changelog: list[tuple[bytes, bytes | None]] = field(default_factory=list)


class SessionPartition:
    """All open session windows of one partition.

    Args:
        retention: how long a window without news is kept, milliseconds of the stream clock.
        began: the time now, ms; since when this state is kept unless a changelog says otherwise.
    """

    def __init__(self, retention: int, began: int) -> None:
        self.clock = StreamClock(kept_since=began)
        self._retention = retention
        self._windows: OrderedDict[WindowKey, OpenWindow] = OrderedDict()
        self._changed: dict[WindowKey, OpenWindow] = {}
        self.unsure: set[WindowKey] = set()
        """Windows that may be here in part only, until they are adopted."""

    def __len__(self) -> int:
        return len(self._windows)

    def __contains__(self, key: WindowKey) -> bool:
        return key in self._windows

    def is_new(self, key: WindowKey) -> bool:
        """Whether a window is not here and certainly never was anywhere: it began too lately."""
        return self.clock.surely_remembers(key.window_start * 1000, self._retention)

    def adopt(self, key: WindowKey, contributions: Iterable[Contribution], version: int) -> None:
        """Take a window back from ClickHouse: the contributions of its traces, and its row's version."""
        window = self._open(key)
        window.version = max(window.version, version)
        # Every one is to be asked, so no any() over a generator.
        if [contribution for contribution in contributions if window.add(contribution)]:
            self._changed[key] = window

    def apply(self, contribution: Contribution, timestamp: int, offset: int) -> None:
        """Apply a contribution that a record brings; `timestamp` in ms."""
        self.clock.advance(timestamp)
        key = contribution.window
        window = self._open(key)
        window.last_news = self.clock.now
        self._windows.move_to_end(key)
        if window.add(contribution) or key in self._changed:
            window.version = next_version(window.version, timestamp, offset)
            self._changed[key] = window

    def collect(self) -> SessionChanges:
        """Return what has changed since the last call, and forget what has had no news for too long."""
        changes = SessionChanges()
        for key, window in self._changed.items():
            sums = fold(key, window.contributions.values())
            changes.rows.append(WindowRow(key, window.version, sums))
            for trace_id in window.unsaved:
                message = to_message(window.contributions[trace_id], applied=window.version)
                changes.changelog.append((_record_key(key, trace_id), message.SerializeToString()))
            window.unsaved.clear()
        self._changed.clear()
        # The clock before the tombstones: by it, what is forgotten is forgotten after a restart too, however many
        # of the tombstones were written.
        clock = (CLOCK_RECORD, self.clock.encode())
        changes.changelog.append(clock)
        tombstones = self._forget()
        if tombstones:
            changes.changelog += [*tombstones, clock]
        return changes

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply a record of the changelog."""
        if key == CLOCK_RECORD:
            if value is not None:
                self.clock.restore(value)
            return
        if value is None:
            self._drop(*_read_key(key))
            return
        message = facts_pb2.Contribution.FromString(value)
        contribution = from_message(message)
        window = self._open(contribution.window)
        window.version = max(window.version, message.applied)
        window.last_news = max(window.last_news, timestamp_of(message.applied))
        window.add(contribution)
        window.unsaved.clear()

    def restored(self) -> None:
        """Complete what the changelog has brought back: windows whose tombstones were not all written go too."""
        self._windows = OrderedDict(sorted(self._windows.items(), key=lambda item: item[1].last_news))
        self._forget()

    def torn(self, records: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Note the open windows that records of an unfinished checkpoint belong to."""
        self.unsure.update(
            key for key, _ in (_read_key(record) for record, _ in records) if key in self._windows
        )

    def _open(self, key: WindowKey) -> OpenWindow:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = OpenWindow(last_news=self.clock.now)
        return window

    def _forget(self) -> list[tuple[bytes, None]]:
        tombstones: list[tuple[bytes, None]] = []
        while self._windows:
            key, window = next(iter(self._windows.items()))
            if window.last_news + self._retention >= self.clock.now:
                break
            del self._windows[key]
            tombstones += [(_record_key(key, trace_id), None) for trace_id in window.contributions]
        return tombstones

    def _drop(self, key: WindowKey, trace_id: bytes) -> None:
        window = self._windows.get(key)
        if window is not None:
            window.contributions.pop(trace_id, None)
            if not window.contributions:
                del self._windows[key]


def _record_key(key: WindowKey, trace_id: bytes) -> bytes:
    project = key.project_id.encode()
    return _KEY.pack(trace_id, key.window_start, len(project)) + project + key.session_id.encode()


def _read_key(record_key: bytes) -> tuple[WindowKey, bytes]:
    trace_id, start, length = _KEY.unpack_from(record_key)
    project = record_key[_KEY.size : _KEY.size + length].decode()
    return WindowKey(project, record_key[_KEY.size + length :].decode(), start), trace_id
