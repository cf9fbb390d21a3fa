"""Whole stories over real HTTP and WebSocket against the started product, on real services or the embedded default."""
