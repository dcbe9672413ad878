"""Several workers on Apache Kafka."""
