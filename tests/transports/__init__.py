"""The transports of events, each on a broker of the tests' own, with real relays and workers."""
