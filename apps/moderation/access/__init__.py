"""Who may decide what about whom, and what other contexts must be asked first."""
