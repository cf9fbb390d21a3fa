"""Management of the reactions context."""
