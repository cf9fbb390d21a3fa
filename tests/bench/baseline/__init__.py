"""The baseline: the same data and routes in a plain Django REST application."""
