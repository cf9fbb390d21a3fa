"""Runs database access and calls in a small thread pool, off the event loop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from channels.db import DatabaseSyncToAsync

P = ParamSpec("P")
R = TypeVar("R")

# Few, as each thread holds a connection to the database.
_pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="sockets")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of `function`; expired database connections are closed before and after."""
    run = DatabaseSyncToAsync(function, thread_sensitive=False, executor=_pool)
    result: R = await run(*args, **kwargs)
    return result
