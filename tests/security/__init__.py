"""Attacks and authorization: what the threat model of docs/security.md names."""
