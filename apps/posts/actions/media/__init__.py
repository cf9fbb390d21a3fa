"""Media: uploads, their conversion, the places that show them, and the files of the store that they use."""
