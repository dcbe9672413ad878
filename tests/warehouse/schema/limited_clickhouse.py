"""The local ClickHouse with other rights than its own: `python -m … 'GRANT … ON spanloom.*' --data DIR --port N`."""

from __future__ import annotations

import logging
import os
import sys

from spanloom.local.clickhouse import __main__ as clickhouse
from spanloom.local.clickhouse import access

if __name__ == "__main__":
    access.GRANTS = (sys.argv[1],)
    code = clickhouse.main(sys.argv[2:])
    logging.shutdown()
    os._exit(code)  # as there
