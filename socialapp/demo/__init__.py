"""Demo data: a real social graph that talks in public-domain sentences, and larger drawn graphs."""
