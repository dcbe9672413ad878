"""Multipart requests: parameters as form fields, and tables that are sent along with one query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from spanloom.local.clickhouse.engine import EngineError, ExternalTable


@dataclass(frozen=True)
class Form:
    """The parts of a multipart request: fields, and files that are external tables."""

    fields: Mapping[str, str]
    tables: tuple[ExternalTable, ...]

    def describes_table(self, name: str) -> bool:
        """Whether the parameter `name` describes one of the tables."""
        return any(
            name == f"{t.name}_{part}" for t in self.tables for part in ("structure", "types", "format")
        )


async def read_form(request: web.Request) -> Form | None:
    """The parts of a multipart body (clickhouse-connect's form encoding and external data).

    Raises:
        EngineError: it is none.
    """
    if request.content_type != "multipart/form-data":
        return None
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or not part.name:
                continue
            data = bytes(await part.read())
            if part.filename:
                files[part.name] = data
            else:
                fields[part.name] = data.decode("utf-8", "replace")
    except (ValueError, LookupError, RuntimeError, HttpProcessingError):
        raise EngineError(
            27, "Code: 27. DB::Exception: The form can't be read. (CANNOT_PARSE_INPUT)"
        ) from None
    described = {**request.query, **fields}
    tables = []
    for name, data in files.items():
        structure = described.get(f"{name}_structure", "")
        if not structure:
            types = described.get(f"{name}_types", "").split(",")
            structure = ", ".join(f"_{i} {type_}" for i, type_ in enumerate(types, 1))
        format_ = described.get(f"{name}_format", "TabSeparated")
        if not format_.isalnum():
            raise EngineError(
                73, "Code: 73. DB::Exception: The format of an external table is one word. (UNKNOWN_FORMAT)"
            )
        tables.append(ExternalTable(name, structure, format_, data))
    return Form(fields, tuple(tables))
