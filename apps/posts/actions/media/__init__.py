"""Media: uploads, conversion, the places that show them, and the stored files."""
