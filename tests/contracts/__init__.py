"""The published interfaces (API, events and service interfaces) do not change by accident."""
