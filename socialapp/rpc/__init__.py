"""Typed calls between contexts: in process, or over HTTP when the other context is served elsewhere."""
