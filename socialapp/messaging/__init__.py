"""The event bus: outbox beside the state, relay to the broker, delivery with an inbox, reconciliation, dead letters."""
