"""The changelog's pieces of a partition of the traces stage: which there are, and how many open traces need each.

A piece with something in it that is forgotten must not stay in the changelog, and other traces may need the same piece.
So they get pieces of their own, and it ends (`tainted`).
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from struct import Struct

from spanloom.agents.state.entry import ChangelogRecord
from spanloom.agents.state.trace.open_trace import OpenTrace
from spanloom.spans.folding import facts as facts_codec
from spanloom.spans.folding.facts import Fact, TraceKey

_KEY = Struct(">qQH")
"""The key of a piece: timestamp and offset of its record, and 0. One made from stored facts has the version of its
trace instead of the offset, which no other such piece of it has, and is numbered; and its key ends with the trace. One
that is made of others has the highest offset."""

_MADE_OF_OTHERS = 2**64 - 1

_REGROUPED = 2000
"""Traces that get new pieces together: their facts are unpacked meanwhile."""


class Pieces:
    """All pieces of a partition."""

    def __init__(self) -> None:
        self._tainted: set[bytes] = set()
        """Those that hold something forgotten."""
        self._closed_in: dict[bytes, array[int]] = {}
        """Hashes of the traces that are not open any more and of which pieces hold facts that others need."""
        self._erased: set[int] = set()
        """Hashes of traces of which something was forgotten since pieces were looked for that hold it."""
        self._uses: dict[bytes, int] = {}
        """How many open traces each piece brought something to."""
        self._unsaved: list[ChangelogRecord] = []
        self._erasures: set[bytes] = set()
        """Those that say what is forgotten, and hold nothing else."""

    def keep(self, piece_key: bytes, piece: bytes, traces: Iterable[OpenTrace]) -> None:
        """Note a piece that brought something to some traces and is new to the changelog."""
        self._unsaved.append((piece_key, piece))
        is_known = piece_key in self._uses
        for trace in traces:
            trace.keep(piece)
            self.use(piece_key, trace, is_known)

    def keep_erasure(self, piece_key: bytes, piece: bytes, traces: Iterable[OpenTrace]) -> None:
        """Note a piece that says that some traces are forgotten and is new to the changelog."""
        self._unsaved.append((piece_key, piece))
        for trace in traces:
            self.use_erasure(piece_key, trace)

    def use(self, piece_key: bytes, trace: OpenTrace, is_known: bool) -> None:
        """Note that a trace needs a piece."""
        if not is_known or piece_key not in trace.pieces:
            trace.pieces.append(piece_key)
            self._uses[piece_key] = self._uses.get(piece_key, 0) + 1

    def use_erasure(self, piece_key: bytes, trace: OpenTrace) -> None:
        """Note that a trace needs a piece which says that it is forgotten."""
        self._erasures.add(piece_key)
        self.use(piece_key, trace, is_known=True)

    def use_too(self, piece_key: bytes, news: Sequence[OpenTrace], traces: Iterable[OpenTrace]) -> None:
        """Note which traces a piece holds that it brought nothing new to (`news` are the others): where something of
        theirs is forgotten, it must not be in there either."""
        known = set(map(id, news))
        for trace in traces:
            if id(trace) not in known:
                self.use(piece_key, trace, is_known=True)

    def knows(self, piece_key: bytes) -> bool:
        """Whether a trace needs a piece."""
        return piece_key in self._uses

    def taint(self, key: TraceKey, trace: OpenTrace) -> None:
        """Note that all pieces hold something forgotten that have facts of a trace."""
        self._tainted.update(piece_key for piece_key in trace.pieces if piece_key not in self._erasures)
        self._erased.add(hash(key))

    def taint_piece(self, piece_key: bytes) -> None:
        """Note that a piece holds something forgotten."""
        self._tainted.add(piece_key)

    def _take_tainted(self) -> set[bytes]:
        tainted, self._tainted = self._tainted, set()
        if self._erased:
            tainted.update(key for key, some in self._closed_in.items() if not self._erased.isdisjoint(some))
            self._erased.clear()
        return tainted

    def regroup(
        self,
        traces: Mapping[TraceKey, OpenTrace],
        read: Callable[[TraceKey], Sequence[Fact]],
        ended: Set[bytes],
    ) -> set[bytes]:
        """Give all that is in a piece with something forgotten pieces of its own.

        Args:
            traces: all that are open.
            read: returns the facts of one, without those that are forgotten.
            ended: the keys of pieces whose tombstones are not written yet.

        Returns: the keys of those that end with it.
        """
        tainted = self._take_tainted()
        found: set[bytes] = set()
        left: dict[TraceKey, Sequence[Fact]] = {}
        for key, trace in traces.items() if tainted else ():
            if not tainted.isdisjoint(trace.pieces):
                left[key] = read(key)
                found.update(self._take_out(trace))
                if len(left) >= _REGROUPED:
                    self._group(traces, left, ended | found)
                    left = {}
        self._group(traces, left, ended | found)
        return found

    def release(self, key: TraceKey, trace: OpenTrace) -> list[bytes]:
        """Follow that a trace is not open any more; returns the keys of the pieces that no trace needs any more."""
        ended = self._end(trace.pieces)
        for piece_key in trace.pieces:
            if piece_key in self._uses:
                self._closed_in.setdefault(piece_key, array("q")).append(hash(key))
        return ended

    def _group(
        self, traces: Mapping[TraceKey, OpenTrace], left: Mapping[TraceKey, Sequence[Fact]], ended: Set[bytes]
    ) -> None:
        for piece in facts_codec.encode_groups(left):
            some = [traces[key] for key, _ in facts_codec.traces_in(piece)]
            last_news = max(trace.last_news for trace in some)
            self.keep(self._new_key(last_news, ended), piece, some)

    def _take_out(self, trace: OpenTrace) -> list[bytes]:
        """Take a trace's facts out of all its pieces; returns the keys of those that no trace needs any more."""
        ended = self._end(key for key in trace.pieces if key not in self._erasures)
        trace.pieces = [key for key in trace.pieces if key in self._erasures]
        trace.parts, trace.in_parts = [], True
        return ended

    def _new_key(self, timestamp: int, ended: Set[bytes]) -> bytes:
        """A key that no piece has, nor one that has just ended; `timestamp` is that of the last news, ms."""
        number = 0
        while (key := _KEY.pack(timestamp, _MADE_OF_OTHERS, number)) in self._uses or key in ended:
            number += 1
        return key

    def take_unsaved(self) -> list[ChangelogRecord]:
        """Return what the changelog does not have yet and is needed still."""
        unsaved, self._unsaved = self._unsaved, []
        return [record for record in unsaved if record[0] in self._uses]

    def _end(self, piece_keys: Iterable[bytes]) -> list[bytes]:
        ended = []
        for piece_key in piece_keys:
            self._uses[piece_key] -= 1
            if not self._uses[piece_key]:
                del self._uses[piece_key]
                self._erasures.discard(piece_key)
                self._closed_in.pop(piece_key, None)
                ended.append(piece_key)
        return ended


def piece_key(timestamp: int, offset: int) -> bytes:
    """Return the key of the piece that is a record; `timestamp` in ms."""
    return _KEY.pack(timestamp, offset, 0)


def stored_piece_keys(
    timestamp: int, version: int, name: bytes, pieces: Sequence[bytes]
) -> list[tuple[bytes, bytes]]:
    """Return pieces of what was found in ClickHouse with their keys; `version` and `name` are those of the trace."""
    return [(_KEY.pack(timestamp, version, number) + name, piece) for number, piece in enumerate(pieces)]


def timestamp_of_piece(piece_key: bytes) -> int:
    """Return the timestamp in the key of a piece, ms."""
    timestamp: int = _KEY.unpack_from(piece_key)[0]
    return timestamp
