"""What others have sent once, recorded for tests."""

from pathlib import Path

# From Debezium Server 3.6.1 on MariaDB 10.11, with the product's tables; one column was added in between.
DEBEZIUM = (Path(__file__).parent / "debezium" / "changes.jsonl").read_bytes().splitlines()
