"""Who may see and do what with posts and media, and what other contexts must be asked first."""
