"""What search reads from its own index, in Elasticsearch or SQLite."""
