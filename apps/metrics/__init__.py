"""The metrics context."""
