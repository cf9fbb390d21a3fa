"""The product split into services: the same as in one process."""
