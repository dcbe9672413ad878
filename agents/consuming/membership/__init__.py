"""Who is in the consumer group, and who gets which partitions."""
