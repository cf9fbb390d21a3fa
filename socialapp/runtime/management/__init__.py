"""Management of runtime."""
