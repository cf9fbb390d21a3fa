"""Management of posts."""
