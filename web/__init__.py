"""The web client: static files, and the documents that start it."""
