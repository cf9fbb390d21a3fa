"""The data lifecycle: erasure and its audit, tombstones, jobs in steps, drift and repair, data export, bulk records."""
