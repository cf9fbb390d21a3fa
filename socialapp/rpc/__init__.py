"""Typed calls between contexts: in process, or over HTTP if the other context is served elsewhere."""
