"""What else people would build to get traces and sessions into ClickHouse, each written as its own users would."""
