"""Spanloom weaves OpenTelemetry spans on Kafka into exact sessions in ClickHouse.

The way of a span is read in `spanloom.agents` (the folder `agents/` at the top of the repository, linked in here);
the contracts are in `spanloom.schemas`. Everything that runs is started by `spanloom.commands`.
"""
