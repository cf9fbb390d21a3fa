"""How posts and media look in the API."""
