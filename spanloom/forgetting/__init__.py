"""Forgetting: what is stored of some traces goes, from ClickHouse and from the workers' state, and stays away."""
