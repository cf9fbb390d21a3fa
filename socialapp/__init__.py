"""The kernel: what every context stands on. It imports no context."""
