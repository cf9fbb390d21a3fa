"""The baseline: the same data and routes as a plain Django REST application would have them."""
