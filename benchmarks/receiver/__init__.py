"""The receiver: throughput, latency, endurance."""
