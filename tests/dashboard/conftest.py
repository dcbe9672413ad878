"""The API over a migrated database on the local ClickHouse."""

from __future__ import annotations

import pytest

from spanloom.warehouse.client import Warehouse
from tests.dashboard.client import Api


@pytest.fixture
def api(warehouse: Warehouse) -> Api:
    """The API for someone who may see all projects."""
    return Api(warehouse)
