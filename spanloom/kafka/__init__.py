"""Kafka: the connection, the producer and the topics, for the worker, the receiver and the commands alike."""
