"""Commands of ops."""
