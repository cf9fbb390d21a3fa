"""Commands of posts."""
