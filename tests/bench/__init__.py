"""The cost of requests: `python -m tests.bench` compares the product with a baseline. Not part of ./test."""
