"""The command that runs the product, and the tools of whoever operates it."""
