"""An answer that is a file: streamed, named, and cut off where it can't be finished."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Send

from spanloom.warehouse.errors import Unavailable, WarehouseError

_log = logging.getLogger(__name__)

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_CHARACTERS = 60


def file_name(kind: str, what: str, ending: str) -> str:
    """A name that is safe on every system: `spanloom-session-abc.md`.

    Of `what` only letters, digits, _ and - stay.
    """
    kept = _NOT_IN_NAMES.sub("-", what)[:_NAME_CHARACTERS].strip("-")
    return "-".join(part for part in ("spanloom", kind, kept) if part) + f".{ending}"


class Download(StreamingResponse):
    """A file for the browser to save.

    Where ClickHouse fails in the middle, the connection ends without the answer's last chunk, so that every client
    takes what it has for broken, and a line of the log says why.
    """

    async def stream_response(self, send: Send) -> None:
        """Send it all, or break off."""
        try:
            await super().stream_response(send)
        except (WarehouseError, Unavailable) as error:
            _log.warning("A file that was being sent was broken off: %s", error)


async def download(
    chunks: AsyncIterator[bytes], name: str, media_type: str, headers: Mapping[str, str] | None = None
) -> Download:
    """Return the answer. Its first chunk is made here, so that what fails at once is answered as anywhere else."""
    first = await anext(chunks, b"")

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    given = {**(headers or {}), "Content-Disposition": f'attachment; filename="{name}"'}
    return Download(all_of_it(), media_type=media_type, headers=given)
