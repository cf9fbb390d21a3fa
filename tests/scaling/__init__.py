"""Replicas, partitions and backups, on the tests' own servers."""
