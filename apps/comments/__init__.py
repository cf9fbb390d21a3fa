"""The comments context."""
