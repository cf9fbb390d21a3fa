"""Tests of the metrics context."""
