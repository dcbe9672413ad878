"""What parts say at their start, where passwords and keys would come unencrypted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from spanloom.local.ports import free_port

SENTENCES = {
    "dashboard": "logins come unencrypted to 0.0.0.0: set SPANLOOM_DASHBOARD__TLS_CERTFILE",
    "receiver": "API keys come unencrypted to 0.0.0.0: set SPANLOOM_RECEIVER__TLS_CERTFILE",
}


@pytest.mark.parametrize("part", sorted(SENTENCES))
def test_a_part_that_takes_secrets_without_tls_warns_once(part: str, tmp_path: Path) -> None:
    users = tmp_path / "users.toml"
    users.write_text('[[user]]\nname = "ada"\nprojects = ["*"]\n')
    given = {"HOST": "0.0.0.0", "WEB_PORT": free_port()}
    own: dict[str, dict[str, object]] = {
        "dashboard": {"PORT": free_port(), "USERS_FILE": users},
        "receiver": {"GRPC_PORT": free_port(), "HTTP_PORT": free_port(), "KEYS": f"shop:{'0' * 64}"},
    }
    settings = {f"SPANLOOM_{part.upper()}__{name}": str(value) for name, value in (given | own[part]).items()}
    with subprocess.Popen(
        [sys.executable, "-m", "spanloom", part],
        env={**os.environ, "SPANLOOM_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1", **settings},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        warned = next(line for line in process.stderr if SENTENCES[part] in line)
        process.terminate()
        after = process.stderr.read()
    assert " WARNING " in warned
    assert SENTENCES[part] not in after
