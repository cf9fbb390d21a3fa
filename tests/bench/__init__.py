"""What requests cost: `python -m tests.bench` measures the product beside a twin, in one run. Not part of ./test."""
