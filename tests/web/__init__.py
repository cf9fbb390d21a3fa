"""Tests of the web client in real browsers."""
