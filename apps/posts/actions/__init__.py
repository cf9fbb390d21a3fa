"""What posts writes: the only callers of `publish` in this context."""
