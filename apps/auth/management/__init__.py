"""Management of the auth context."""
