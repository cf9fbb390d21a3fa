"""Django's database backend for SQLite, with less Python around each query."""
