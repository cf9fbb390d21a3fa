"""Management of lifecycle."""
