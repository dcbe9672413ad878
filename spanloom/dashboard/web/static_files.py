"""Style sheet, scripts and icons, under a path that changes with their content.

`/static/VERSION/NAME`: the version is a hash over all files, so browsers may keep them for ever, and a module's
relative imports carry it along.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Response

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def contents() -> dict[str, bytes]:
    """Every file by its name; read once, since they change with the program only."""
    return {
        entry.name: entry.read_bytes()
        for entry in files("spanloom.dashboard").joinpath("static").iterdir()
        if entry.is_file()
    }


@cache
def version() -> str:
    """A hash over names and contents."""
    digest = hashlib.sha256()
    for name, content in sorted(contents().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a file. Raises `KeyError` where there is none."""
    if name not in contents():
        raise KeyError(f"spanloom/dashboard/static/{name} is not there")
    return f"/static/{version()}/{name}"


def static_router() -> APIRouter:
    """The routes of the files; they need no login."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{asked}/{name}")
    async def static(asked: str, name: str) -> Response:
        content = contents().get(name)
        if content is None:
            raise HTTPException(404)
        suffix = name[name.rfind(".") :]
        kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        # A page of the version before may still ask under its own: answered, but not cached.
        keep = FOR_EVER if asked == version() else "no-cache"
        return Response(content, media_type=kind, headers={"Cache-Control": keep})

    return router
