"""What is read from the tables of moderation: SQL, and no rule."""
