"""Tests of the search context, on both back ends."""
