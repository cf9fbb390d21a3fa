"""Tests of the comments context."""
