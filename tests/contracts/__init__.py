"""What is published: the public API, the events and the service interfaces do not change by accident."""
