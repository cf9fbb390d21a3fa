"""Gateways to external systems: push services and the mail server. They use no tables."""
