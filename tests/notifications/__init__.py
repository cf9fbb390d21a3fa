"""Tests of the notifications context."""
