"""Tests of the posts context."""
