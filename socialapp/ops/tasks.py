"""Periodic tasks of operations."""

from celery import shared_task

from socialapp.ops.partitions import add_ahead

PERIODIC = {"ops.add_partitions": 86_400.0}


@shared_task(name="ops.add_partitions")
def add_partitions() -> None:
    """Adds the coming months' partitions to the partitioned tables. Idempotent."""
    add_ahead()
