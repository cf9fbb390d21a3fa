"""What the rest stands on: contexts, databases, ids, errors, cache. It imports no other part of the kernel."""
