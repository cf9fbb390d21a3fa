"""Management of the comments context."""
