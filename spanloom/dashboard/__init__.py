"""The pages and their JSON API. Reads the warehouse, writes nothing."""
