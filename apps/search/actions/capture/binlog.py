"""Reads the binlog of MariaDB and MySQL 8.

The library reconnects by itself, from the position that it was given first; it is therefore given each saved
position. It must block at the end of the log, as it would otherwise poll that end in a busy loop on MariaDB.
"""

import contextlib
import queue
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import pymysql
from pymysqlreplication import BinLogStreamReader
from pymysqlreplication.event import GtidEvent, HeartbeatLogEvent, MariadbGtidEvent, QueryEvent, XidEvent
from pymysqlreplication.gtid import Gtid, GtidSet
from pymysqlreplication.row_event import DeleteRowsEvent, UpdateRowsEvent, WriteRowsEvent

from apps.search.actions.capture.source import TABLES, Batch, CaptureRefused, RowChange

_MAX_ROWS = 500  # in one batch
_WAIT_SECONDS = 0.05  # that a batch waits for more changes
_QUIET_SECONDS = 5.0  # after which the position is yielded without changes
_HEARTBEAT_SECONDS = 1
_READ_SECONDS = 10  # without a heartbeat, after which the connection is dead
_QUEUED = 2000

# Statements in the binlog that do not end a transaction.
_WITHIN_TRANSACTION = ("BEGIN", "SAVEPOINT", "ROLLBACK TO", "RELEASE")

# The required value of each server variable, and why.
_NEEDED = {
    "log_bin": ("1", "there is no binlog"),
    "binlog_format": ("ROW", "statements do not say which rows they change"),
    "binlog_row_image": ("FULL", "minimal rows leave out the author and the version of what is deleted"),
    "binlog_row_metadata": ("FULL", "without the names of columns, rows are wrong after a change of the schema"),
}


@dataclass(frozen=True, slots=True)
class Server:
    """A database server, and the names of the databases on it that are captured."""

    host: str
    port: int
    user: str
    password: str
    databases: tuple[str, ...]


@dataclass(slots=True)
class _Transaction:
    """Changes since the last commit that was read, and the identifier of the transaction."""

    gtid: str = ""
    changes: list[RowChange] = field(default_factory=list)


class BinlogSource:
    """See `Source`; a position is a set of global transaction identifiers."""

    def __init__(self, server: Server) -> None:
        self.name = f"binlog {server.host}:{server.port}"
        self._server = server
        self._is_mariadb = False
        self._stream: BinLogStreamReader | None = None

    def check(self) -> None:
        """See `Source.check`."""
        found = self._variables([*_NEEDED, "version", "gtid_mode"])
        self._is_mariadb = "mariadb" in found.get("version", "").lower()
        for name, (needed, reason) in _NEEDED.items():
            if found.get(name) != needed:
                given = found.get(name, "unknown to this server")
                raise CaptureRefused(f"{self.name}: {name} must be {needed} and is {given}: {reason}")
        if not self._is_mariadb and found.get("gtid_mode") != "ON":
            raise CaptureRefused(f"{self.name}: gtid_mode must be ON: positions in files do not survive a failover")

    def start(self) -> str:
        """See `Source.start`."""
        name = "gtid_binlog_pos" if self._is_mariadb else "gtid_executed"
        return self._variables([name])[name].replace("\n", "")

    def saved(self, position: str) -> None:
        """See `Source.saved`."""
        if self._stream is not None:
            self._stream.auto_position = position

    def read(self, position: str, stopping: Event) -> Iterator[Batch]:
        """See `Source.read`. A thread reads and decodes ahead while batches are written."""
        ahead: queue.Queue[_Transaction | Exception] = queue.Queue(_QUEUED)
        ended = Event()
        self._stream = self._connect(position)
        reader = Thread(target=self._read_ahead, args=(self._stream, ahead, ended), name="binlog", daemon=True)
        reader.start()
        try:
            yield from self._batches(position, ahead, stopping)
        finally:
            ended.set()
            with contextlib.suppress(queue.Empty):
                while True:
                    ahead.get_nowait()  # the thread may be waiting for space
            reader.join(_HEARTBEAT_SECONDS * 3)
            with contextlib.suppress(pymysql.Error, OSError):
                self._stream.close()
            self._stream = None

    def _batches(
        self, position: str, ahead: "queue.Queue[_Transaction | Exception]", stopping: Event
    ) -> Iterator[Batch]:
        changes: list[RowChange] = []
        given, given_at = position, time.monotonic()
        while not stopping.is_set():
            try:
                found = ahead.get(timeout=_WAIT_SECONDS)
            except queue.Empty:
                found = None
            if isinstance(found, Exception):
                raise found
            if found is not None:
                position = self._merged(position, found.gtid)
                changes += found.changes
            is_quiet = position != given and time.monotonic() - given_at > _QUIET_SECONDS
            if (changes and (found is None or len(changes) >= _MAX_ROWS)) or is_quiet:
                yield Batch(changes, position)
                changes, given, given_at = [], position, time.monotonic()

    def _connect(self, position: str) -> BinLogStreamReader:
        server = self._server
        return BinLogStreamReader(
            connection_settings={
                "host": server.host,
                "port": server.port,
                "user": server.user,
                "password": server.password,
                "charset": "utf8mb4",
                "read_timeout": _READ_SECONDS,
            },
            server_id=random.SystemRandom().randrange(1 << 30, 1 << 31),
            auto_position=position,
            is_mariadb=self._is_mariadb,
            blocking=True,
            slave_heartbeat=_HEARTBEAT_SECONDS,
            only_schemas=list(server.databases),
            only_tables=list(TABLES),
            only_events=[
                GtidEvent, MariadbGtidEvent, XidEvent, QueryEvent, HeartbeatLogEvent,
                WriteRowsEvent, UpdateRowsEvent, DeleteRowsEvent,
            ],
            enable_logging=False,
            pymysql_wrapper=_connection,
        )  # fmt: skip

    def _read_ahead(
        self, stream: BinLogStreamReader, ahead: "queue.Queue[_Transaction | Exception]", ended: Event
    ) -> None:
        """Puts transactions into the queue until `ended`; in case of an error, that."""
        transaction = _Transaction()
        try:
            for event in stream:
                if ended.is_set():
                    return
                if isinstance(event, GtidEvent | MariadbGtidEvent):
                    # The unfinished part of a transaction comes again with its identifier after a reconnect.
                    transaction = _Transaction(gtid=event.gtid)
                elif isinstance(event, WriteRowsEvent | UpdateRowsEvent | DeleteRowsEvent):
                    transaction.changes += _changes(event)
                elif isinstance(event, XidEvent | QueryEvent) and transaction.gtid and _ends(event):
                    ahead.put(transaction)
                    transaction = _Transaction()
            raise CaptureRefused(f"{self.name}: the server has ended the stream")
        except Exception as error:  # forwarded to the waiting thread
            ahead.put(error)

    def _merged(self, position: str, gtid: str) -> str:
        if not gtid:
            return position
        if self._is_mariadb:
            return merged_mariadb(position=position, gtid=gtid)
        merged = GtidSet(position)
        merged.merge_gtid(Gtid(gtid))
        return str(merged).replace("\n", "")

    def _variables(self, names: Sequence[str]) -> dict[str, str]:
        server = self._server
        connection = pymysql.connect(host=server.host, port=server.port, user=server.user, password=server.password)
        try:
            with connection.cursor() as cursor:
                found = {}
                for name in names:
                    with contextlib.suppress(pymysql.OperationalError, pymysql.ProgrammingError):
                        cursor.execute(f"SELECT @@global.{name}")  # no client's text: names are ours
                        found[name] = str((cursor.fetchone() or [""])[0])
                return found
        finally:
            connection.close()


def _connection(**settings: Any) -> Any:
    """A connection for the library, which uses a name that the driver is about to drop."""
    if "db" in settings:
        settings["database"] = settings.pop("db")
    return pymysql.connect(**settings)


def merged_mariadb(*, position: str, gtid: str) -> str:
    """A position of MariaDB, one identifier per replication domain, with the newer one of this domain."""
    domains = {one.split("-")[0]: one for one in position.split(",") if one}
    domains[gtid.split("-", maxsplit=1)[0]] = gtid
    return ",".join(domains[domain] for domain in sorted(domains, key=int))


def _ends(event: Any) -> bool:
    """Whether a transaction ends here: with its commit, or with a statement that commits implicitly (DDL)."""
    return isinstance(event, XidEvent) or not str(event.query).upper().startswith(_WITHIN_TRANSACTION)


def _changes(event: Any) -> Iterator[RowChange]:
    for row in event.rows:
        if isinstance(event, UpdateRowsEvent):
            before, after = row["before_values"], row["after_values"]
        elif isinstance(event, WriteRowsEvent):
            before, after = None, row["values"]
        else:
            before, after = row["values"], None
        for values in (before, after):
            if values is not None and any(name.startswith("UNKNOWN_COL") for name in values):
                raise CaptureRefused(
                    f"rows of {event.table} were written before binlog_row_metadata was FULL and do not name their"
                    " columns: start `manage.py search cdc --from-now`, then run `manage.py search reindex`"
                )
        yield RowChange(event.table, before, after)
