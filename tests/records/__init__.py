"""Bulk import and export of installations (load, dump), and demo data."""
