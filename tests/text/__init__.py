"""Tests of socialapp.core.text."""
