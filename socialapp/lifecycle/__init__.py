"""The life of data: erasure and its audit, tombstones, jobs done in steps, drift and repair, data export."""
