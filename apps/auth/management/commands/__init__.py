"""The commands of the auth context."""
