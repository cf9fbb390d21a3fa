"""What operators use: diagnostics, backups, partitions, bulk import and export, migration lint, and their commands."""
