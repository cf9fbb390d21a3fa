"""Uploaded files: format detection, conversion in a child process, storage, and signed URLs."""
