"""Makes the recordings under tests/captures: real SDKs against a stand-in LLM, on loopback only."""
