"""Files that people upload: recognising, converting in a child process, storing, and signed addresses."""
