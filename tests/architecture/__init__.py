"""The rules of the structure, each with a planted violation that it catches."""
