"""The transports of events, each on its own broker, with real relays and workers."""
