"""Which failures of ClickHouse pass by themselves: wait and try again. Whatever stands not here is an error, and
stops."""

from __future__ import annotations

import re

OVERLOADED = {
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    173: "CANNOT_ALLOCATE_MEMORY",
    201: "QUOTA_EXCEEDED",  # until its interval ends
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    241: "MEMORY_LIMIT_EXCEEDED",
    252: "TOO_MANY_PARTS",  # until merges have caught up
    439: "CANNOT_SCHEDULE_TASK",
    473: "DEADLOCK_AVOIDED",  # a lock was not to be had in time
    574: "DISTRIBUTED_TOO_MANY_PENDING_BYTES",
    745: "SERVER_OVERLOADED",
}

RESTARTING = {
    3: "UNEXPECTED_END_OF_FILE",  # the connection broke while the server read
    236: "ABORTED",
    394: "QUERY_WAS_CANCELLED",
    667: "NOT_INITIALIZED",
    733: "TABLE_IS_BEING_RESTARTED",
    735: "QUERY_WAS_CANCELLED_BY_CLIENT",
}

CUT_OFF = {
    95: "CANNOT_READ_FROM_SOCKET",
    96: "CANNOT_WRITE_TO_SOCKET",
    198: "DNS_ERROR",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    279: "ALL_CONNECTION_TRIES_FAILED",
}

WITHOUT_DISK = {
    74: "CANNOT_READ_FROM_FILE_DESCRIPTOR",
    75: "CANNOT_WRITE_TO_FILE_DESCRIPTOR",
    76: "CANNOT_OPEN_FILE",
    172: "CANNOT_CREATE_DIRECTORY",
    204: "CANNOT_FSYNC",
    243: "NOT_ENOUGH_SPACE",
    425: "SYSTEM_ERROR",
    499: "S3_ERROR",
}

WITHOUT_REPLICAS = {
    225: "NO_ZOOKEEPER",
    242: "TABLE_IS_READ_ONLY",  # while Keeper is away
    254: "NO_ACTIVE_REPLICAS",
    265: "NO_AVAILABLE_REPLICA",
    285: "TOO_FEW_LIVE_REPLICAS",
    286: "UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE",
    297: "SHARD_HAS_NO_CONNECTIONS",
    319: "UNKNOWN_STATUS_OF_INSERT",  # the same insert again settles it
    369: "ALL_REPLICAS_ARE_STALE",
    416: "REPLICA_STATUS_CHANGED",
    517: "CANNOT_ASSIGN_ALTER",  # while another migration alters the table
    519: "NO_REMOTE_SHARD_AVAILABLE",
    529: "NOT_A_LEADER",
    999: "KEEPER_EXCEPTION",
}

CODES = OVERLOADED | RESTARTING | CUT_OFF | WITHOUT_DISK | WITHOUT_REPLICAS
"""ClickHouse's error codes that mean "not now", and their names."""

_UNNAMED = frozenset((1000, 1001, 1002))  # an exception of a library, whatever it is

_SYSTEM_IS_SHORT_OF = re.compile(
    "No space left on device|Disk quota exceeded|Too many open files|Cannot allocate memory|std::bad_alloc"
    "|Resource temporarily unavailable|Input/output error"
)
"""What such an exception says where the machine lacks something."""

_STATUSES = frozenset((408, 429))
_NEVER = frozenset((501, 505))  # not implemented, another version of HTTP: no server and no proxy learns it


def code_passes(code: int, text: str) -> bool:
    """Whether ClickHouse may answer otherwise later.

    Args:
        code: its error code.
        text: what it said.
    """
    return code in CODES or (code in _UNNAMED and _SYSTEM_IS_SHORT_OF.search(text) is not None)


def status_passes(status: int) -> bool:
    """Whether an HTTP status without an error code may be another one later: what a proxy answers, or a server that
    starts, stops, is overloaded or has failed at something that is not the statement's fault."""
    return status in _STATUSES or (status >= 500 and status not in _NEVER)
