"""What pages cost: statements, round trips and calls, counted."""
