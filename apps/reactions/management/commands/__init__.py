"""The commands of the reactions context."""
