"""The kernel, on which every context builds. It imports no context."""
