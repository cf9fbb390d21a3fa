"""Tests of the kernel: the bus, transactions, calls, HTTP."""
