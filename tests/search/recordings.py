"""Recorded messages of other software."""

from pathlib import Path

# From Debezium Server 3.6.1 on MariaDB 10.11, with the product's tables; a column was added during the recording.
DEBEZIUM = (Path(__file__).parent / "debezium" / "changes.jsonl").read_bytes().splitlines()
