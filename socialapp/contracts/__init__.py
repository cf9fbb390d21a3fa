"""The contracts between contexts: events, data classes and service interfaces. Plain data, no behavior."""
