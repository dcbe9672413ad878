"""spanloom beside what else people would build, in every kind of load; and whether it has lost ground since."""
