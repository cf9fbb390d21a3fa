"""Tests of the moderation context."""
