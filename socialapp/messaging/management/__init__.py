"""Management of messaging."""
