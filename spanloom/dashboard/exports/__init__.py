"""What people take along: lists as tables, sessions as Markdown and JSON, traces as OTLP."""
