"""Demo data: a real social graph that posts public-domain sentences, and larger generated graphs."""
