"""Template tags of the admin site's front page."""
