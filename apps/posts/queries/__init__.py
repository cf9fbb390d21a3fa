"""What posts reads. Every read that shows posts to somebody goes through the one rule in `access`."""
