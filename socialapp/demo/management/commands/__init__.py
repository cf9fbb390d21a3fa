"""Commands of demo."""
