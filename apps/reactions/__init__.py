"""The reactions context."""
