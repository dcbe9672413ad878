"""Makes passwords and keys for Compose: `new_env.py > deploy/.env`, by a Python that has spanloom[dashboard].

Standard output is deploy/.env, for which .env.example is the form. What a person needs and the file has only the hash
of, is shown on standard error, once. `make deploy/.env` does it here; without an installation, the image does:

    docker run --rm -i --entrypoint python spanloom:0.1.0 - < deploy/new_env.py > deploy/.env
"""

from __future__ import annotations

import secrets
import sys

from spanloom.dashboard.access import passwords
from spanloom.receiver import keys


def new_env(key: str, password: str) -> str:
    """Return the file: an API key of the project `default`, a login of `admin`, and new secrets for all else."""
    random = secrets.token_hex
    return f"""\
CLICKHOUSE_USER=spanloom
CLICKHOUSE_PASSWORD={random(32)}
CLICKHOUSE_WORKER_PASSWORD={random(32)}
CLICKHOUSE_DASHBOARD_PASSWORD={random(32)}
CLICKHOUSE_FORGETTER_PASSWORD={random(32)}
GRAFANA_ADMIN_PASSWORD={random(16)}
GRAFANA_CLICKHOUSE_PASSWORD={random(32)}
RECEIVER_KEYS=default:{keys.hash_of(key).hex()}
COLLECTOR_KEY={random(32)}
DASHBOARD_USER=admin
DASHBOARD_PASSWORD_HASH='{passwords.hash_of(password)}'
DASHBOARD_SECRET={random(32)}
DASHBOARD_FORGET=false
DASHBOARD_USER_FORGETS=
KAFKA_PARTITIONS=8
"""


def main() -> None:
    """The command line."""
    key, password = keys.new_key(), secrets.token_urlsafe(15)
    sys.stdout.write(new_env(key, password))
    sys.stderr.write(
        f"Shown this once:\n  API key of the project `default`: {key}\n  login to the dashboard: admin, {password}\n"
    )


if __name__ == "__main__":
    main()
