"""The parts that run until they are told to stop."""
