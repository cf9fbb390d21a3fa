"""The base of the kernel: contexts, databases, ids, errors, cache. It imports no other part of the kernel."""
