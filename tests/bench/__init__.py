"""What requests cost: `python -m tests.bench` measures the product beside a baseline. Not part of ./test."""
