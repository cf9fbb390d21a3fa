"""Starts processes: `./run`, the supervisor, the roles, the embedded servers."""
