"""What SQL may do in the local database: work with its own tables, and nothing else on this machine or beyond.

The port asks for no password, so that whoever can send it SQL must not thereby read the user's files, write some, or
send either away. The engine has ClickHouse's grants and constraints; what they leave open is told by the statement
(`statement`).
"""

from __future__ import annotations

import uuid
from pathlib import Path

GRANTS: tuple[str, ...] = (
    "GRANT SHOW, SELECT, INSERT, ALTER, TRUNCATE, OPTIMIZE, CHECK, KILL QUERY, SYSTEM, INTROSPECTION ON *.*",
    "GRANT CREATE DATABASE, CREATE TABLE, CREATE TEMPORARY TABLE, CREATE VIEW ON *.*",
    "GRANT DROP DATABASE, DROP TABLE, DROP VIEW, UNDROP TABLE ON *.*",
)
"""Left out are the sources (FILE, URL, S3, REMOTE, …), which each function and engine that leads out of the database
asks for; dictionaries, whose sources ask for none; functions, named collections, users and backups."""

_ENGINES = (
    *("MergeTree", "ReplacingMergeTree", "SummingMergeTree", "AggregatingMergeTree", "CollapsingMergeTree"),
    *("VersionedCollapsingMergeTree", "CoalescingMergeTree", "Log", "TinyLog", "StripeLog", "Memory", "Set"),
    *("Join", "Buffer", "Null", "Merge", "View", "MaterializedView"),
)

_FIXED_SETTINGS = (
    "format_schema",
    "format_schema_source",
    "format_template_row",
    "format_template_resultset",
    "format_avro_schema_registry_url",
    "input_format_record_errors_file_path",
    "rename_files_after_processing",
)
"""Settings that name a file or an address: nobody changes them."""


_CONFIG = """<clickhouse>
<default_database></default_database>
<database>default</database>
</clickhouse>
"""
"""No database of chDB's own: `_make_default` makes one in its place."""


def limited(folder: Path) -> str:
    """Write down the limits in the database's folder and return what opens it within them."""
    limits = folder / "limits"
    limits.mkdir(mode=0o700, exist_ok=True)
    config, users = limits / "config.xml", limits / "users.xml"
    config.write_text(_CONFIG)
    users.write_text(_users())
    _make_default(folder / "metadata")
    return f"{folder}?config-file={config}&users_config={users}"


def _make_default(metadata: Path) -> None:
    """Have the engine find an ordinary database `default`: the one that chDB makes by itself shows files as tables, and
    asks for the right to read them with every name. Tables that stood in that one are in this one."""
    metadata.mkdir(mode=0o700, exist_ok=True)
    declared, link = metadata / "default.sql", metadata / "default"
    if not declared.exists():
        identity = link.readlink().name if link.is_symlink() else uuid.uuid4()
        declared.write_text(f"ATTACH DATABASE _ UUID '{identity}'\nENGINE = Atomic\n")


def _users() -> str:
    grants = [*GRANTS, *(f"GRANT TABLE ENGINE ON {engine}" for engine in _ENGINES)]
    queries = "".join(f"<query>{grant}</query>\n" for grant in grants)
    fixed = "".join(f"<{name}><readonly/></{name}>\n" for name in _FIXED_SETTINGS)
    return f"""<clickhouse>
<profiles><default><constraints>
{fixed}</constraints></default></profiles>
<quotas><default></default></quotas>
<users><default>
<password></password>
<networks><ip>::/0</ip></networks>
<profile>default</profile>
<quota>default</quota>
<grants>
{queries}</grants>
</default></users>
</clickhouse>
"""
