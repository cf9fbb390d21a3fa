"""The posts context."""
