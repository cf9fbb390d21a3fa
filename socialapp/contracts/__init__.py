"""What the contexts promise one another: events, data classes and service interfaces. Plain data, no behaviour."""
