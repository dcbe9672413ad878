"""Fixtures and settings for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.fixtures_local", "tests.fixtures_kafka", "tests.fixtures_warehouse"]

# A shared, noisy machine: how long an example takes says nothing, so no test depends on it.
settings.register_profile(
    "spanloom",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=int(os.environ.get("TEST_EXAMPLES", "40")),
    print_blob=True,
)
settings.load_profile("spanloom")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which broker the integration tests run on."""
    parser.addoption(
        "--broker", choices=("local", "kafka"), default="local", help="local (Tansu), or Apache Kafka"
    )
