"""What a person said and what an assistant answered, in the forms in which SDKs record it."""
