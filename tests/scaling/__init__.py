"""Replicas, partitions and backups, on servers of the tests' own."""
