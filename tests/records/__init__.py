"""Moving whole installations: load, dump and demo data."""
