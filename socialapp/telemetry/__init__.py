"""What can be seen from outside of a running process: metrics for Prometheus, traces for OpenTelemetry."""
