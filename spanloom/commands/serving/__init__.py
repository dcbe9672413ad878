"""The parts that run until they are stopped."""
