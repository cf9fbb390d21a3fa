"""The product split into services behaves the same as in one process."""
