"""The routes of posts and of media."""
