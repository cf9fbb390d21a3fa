"""Management of moderation."""
