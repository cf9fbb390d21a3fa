"""The commands of the comments context."""
