"""The product on the tests' own servers, one process group per role, so that each can be killed separately."""

import contextlib
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from socialapp.core.contexts import CONTEXTS
from tests.faults.servers import MariaDB, RabbitMQ, Redis
from tests.faults.sizes import SETTLE_SECONDS, size
from tests.forked import Forked, manage
from tests.migrated import copy_migrated, create_migrated
from tests.scenarios.product import ROOT, Member, Product, eventually, free_port

_OWN = ("_URL", "NODE_ID", "SERVICES", "REDIS_TIMEOUT")
# The reconciler looks for lost events sooner than usual, so that a run does not take long.
_HASTE = {"RECONCILE_EVERY_SECONDS": "1", "RECONCILE_AFTER_SECONDS": "1"}
# A busy machine may be slow: a promised time counts as kept within this many times as long, and with fewer cores than
# processes, this many times more.
_PATIENCE = 4
_TRY_SECONDS = 200  # how long a writer tries to write a post
ON_MARIADB = [name for name in CONTEXTS if name != "search"]


@dataclass
class Post:
    """A request to write a post, and its response: None until there is one."""

    author: Member
    content: str
    key: str
    answer: dict[str, Any] | None = None


class Installation(Product):
    """One installation: databases, Redis, broker, and the roles that are running."""

    def __init__(self, folder: Path, *, database: MariaDB, redis: Redis, broker: RabbitMQ) -> None:
        self.database, self.redis, self.broker = database, redis, broker
        self.ports = {"web": free_port(), "sockets": free_port()}
        kept = {name: value for name, value in os.environ.items() if not name.endswith(_OWN)}
        environment = {
            **kept,
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database.url(),
            "SEARCH_DATABASE_URL": f"sqlite:///{folder}/data/db/search.sqlite3",  # a lightweight search
            "REDIS_URL": redis.url,
            "REDIS_PREFIX": "",
            "BROKER_URL": broker.url,
            "WEB_PORT": str(self.ports["web"]),
            "SOCKETS_PORT": str(self.ports["sockets"]),
            "ELASTICSEARCH_SECONDS": "4",
            "ACCESS_TOKEN_SECONDS": "7200",  # long enough for a long test on a busy machine
            "RATE_LIMITS": "off",
            "LOG_LEVEL": "INFO",
            **size(_HASTE, {}),
        }
        (folder / "data" / "db").mkdir(parents=True)
        self._logs = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._altered: set[str] = set()  # roles that run with the variables of one test
        self.measured: list[tuple[str, object]] = []
        super().__init__(f"http://127.0.0.1:{self.ports['web']}", environment, None)  # type: ignore[arg-type]

    def create(self) -> None:
        """Creates databases and tables."""
        create_migrated(self.database.url(), {context: f"faults_{context}" for context in ON_MARIADB})
        copy_migrated(Path(self.environment["DATA_DIR"]) / "db", "search")

    def manage(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Runs a command of manage.py on this installation."""
        ended = manage(*arguments, environment=self.environment)
        assert not check or ended.returncode == 0, ended.stderr[-3000:]
        return ended

    def start(self, *roles: str, **variables: str) -> None:
        """Starts roles that are not running, with further environment variables, and waits until they are ready."""
        for role in roles:
            assert role not in self._running, f"{role} runs already"
            if variables:
                self._altered.add(role)
            self._running[role] = self._process(role, variables)
        for role in set(roles) & self.ports.keys():
            eventually(lambda role=role: self._listens(role), seconds=60)  # type: ignore[misc]

    def _process(self, role: str, variables: dict[str, str]) -> "subprocess.Popen[bytes]":
        environment, log = {**self.environment, **variables}, self._logs / f"{role}.log"
        if "LD_PRELOAD" not in variables:  # which takes effect when a program is started
            return Forked("serve", role, environment=environment, output=log)
        with log.open("ab") as output:
            command = [sys.executable, str(ROOT / "manage.py"), "serve", role]
            return subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)

    def kill(self, *roles: str) -> None:
        """`kill -9` for all processes of these roles; returns when they have ended."""
        for role in roles:
            process = self._running.pop(role)
            self._altered.discard(role)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def run_only(self, *roles: str) -> None:
        """Starts the given roles that do not run with the usual variables, and kills all others."""
        self.kill(*(set(self._running) - set(roles) | self._altered))
        for role, process in list(self._running.items()):
            if process.poll() is not None:
                self.kill(role)
        self.start(*(role for role in roles if role not in self._running))

    def resume(self) -> None:
        """Makes web, relay, worker and beat run, with what they need, in whatever state an earlier test left them."""
        for server in (self.database, self.redis, self.broker):
            server.repair()
        self.run_only("web", "relay", "worker", "beat")

    def stop(self) -> None:
        """Ends all processes."""
        self.run_only()
        self.http.close()

    def pids(self, role: str) -> list[int]:
        """The processes of a role."""
        import psutil

        root = psutil.Process(self._running[role].pid)
        return [root.pid, *(child.pid for child in root.children(recursive=True))]

    def logged(self, role: str) -> str:
        """The last lines of a role's log."""
        return (self._logs / f"{role}.log").read_text(errors="replace")[-4000:]

    def _listens(self, role: str) -> bool:
        assert self._running[role].poll() is None, self.logged(role)
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[role]}/health/live", timeout=5).status_code < 500
        except httpx.HTTPError:
            return False

    # --- What it holds ---------------------------------------------------------------------------------------------

    def settled(self) -> bool:
        """Whether every event was sent, and no handler has a retry left."""
        return not self._number_of("bus_outbox WHERE state = 0") and not self._number_of("bus_failed_delivery")

    def confirmed(self) -> bool:
        """Whether, moreover, the reconciler has seen every event handled by all its consumers."""
        return not self._number_of("bus_outbox WHERE state < 2") and self.settled()

    def _number_of(self, rows: str) -> int:
        """The number of such rows in the databases of all contexts."""
        counts = [f"(SELECT COUNT(*) FROM faults_{context}.{rows})" for context in ON_MARIADB]
        with closing(self.search_database()) as search:
            [in_search] = search.execute(f"SELECT COUNT(*) FROM {rows}").fetchone()
        return self.database.number(f"SELECT {' + '.join(counts)}") + int(in_search)

    def search_database(self) -> sqlite3.Connection:
        """The name of the database of search."""
        return sqlite3.connect(f"{self.environment['DATA_DIR']}/db/search.sqlite3", timeout=30)

    def within(self, promised: float, check: Callable[[], object], what: str) -> None:
        """Waits until `check` holds, patiently, and records how long it took; `promised` is in seconds."""
        started = time.monotonic()
        crowding = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
        eventually(check, seconds=promised * _PATIENCE * crowding)
        self.note(what, f"{time.monotonic() - started:.1f} s, promised {promised:g} s")

    def note(self, what: str, found: object) -> None:
        """Records a figure for the summary of the run."""
        self.measured.append((f"measured: {what}", str(found)))

    def posts_of(self, author: Member) -> list[int]:
        """The ids in the table, ascending."""
        rows = self.database.sql("SELECT id FROM faults_posts.posts WHERE user_id = %s ORDER BY id", int(author.id))
        return [row[0] for row in rows]

    def posts_count(self, member: Member) -> int:
        """The counts in the profile, which come from events."""
        found: int = self.call("GET", f"/v1/profiles/{member.id}").json()["posts_count"]
        return found

    def events(self, event: str, subjects: list[int]) -> dict[int, int]:
        """The number of events of a type for each subject in the outbox of posts."""
        marks = ",".join(["%s"] * len(subjects)) or "NULL"
        rows = self.database.sql(
            f"SELECT subject, COUNT(*) FROM faults_posts.bus_outbox WHERE type = %s AND subject IN ({marks})"
            " GROUP BY subject",
            event,
            *map(str, subjects),
        )
        return {int(subject): count for subject, count in rows}

    def assert_each_written_once(self, posts: list[Post]) -> None:
        """Every acknowledged request has one row and one event, and nothing else was written."""
        acknowledged = [int(post.answer["id"]) for post in posts if post.answer]
        assert len(acknowledged) == len(posts), "every request got a response in the end"
        authors = {post.author.id: post.author for post in posts}.values()
        stored = sorted(post_id for author in authors for post_id in self.posts_of(author))
        assert stored == sorted(acknowledged), "the table contains each acknowledged post once"
        assert self.events("posts.post_created.v1", acknowledged) == dict.fromkeys(acknowledged, 1), (
            "one event for each"
        )

    def assert_nothing_twice(self) -> None:
        """No handler has processed an event twice: neither by the inbox's unique key, nor by the effects of the
        events.
        """
        for context in ON_MARIADB:
            doubled = self.database.number(
                f"SELECT COUNT(*) FROM (SELECT 1 FROM faults_{context}.bus_inbox"
                " GROUP BY event_id, handler HAVING COUNT(*) > 1) AS doubled"
            )
            assert doubled == 0, context

    def feed_in_sql(self, reader: Member) -> list[str]:
        """The reader's feed according to the tables: their own posts and those of the users they follow, newest
        first.
        """
        rows = self.database.sql(
            "SELECT id FROM faults_posts.posts WHERE user_id = %s OR user_id IN"
            " (SELECT following_id FROM faults_users.follows WHERE follower_id = %s) ORDER BY id DESC",
            int(reader.id),
            int(reader.id),
        )
        return [str(post_id) for (post_id,) in rows]

    def wrongly_notified(self, authors: list[Member]) -> int:
        """How many followers were not notified exactly once of a post of these authors."""
        return self.database.number(
            "SELECT COUNT(*) FROM faults_posts.posts JOIN faults_users.follows ON following_id = posts.user_id"
            " LEFT JOIN (SELECT post_id, user_id, COUNT(*) AS times FROM faults_notifications.notifications"
            " WHERE kind = 'new_post' GROUP BY post_id, user_id) AS counted"
            " ON counted.post_id = posts.id AND counted.user_id = follower_id"
            f" WHERE COALESCE(times, 0) <> 1 AND posts.user_id IN ({','.join(['%s'] * len(authors))})",
            *(int(author.id) for author in authors),
        )

    def arrived(self, posts: Sequence[Post]) -> bool:
        """Whether the posts, all by these authors, are counted, and all followers were notified of each once."""
        written = Counter(post.author.id for post in posts)
        authors = list({post.author.id: post.author for post in posts}.values())
        return all(self.posts_count(author) == written[author.id] for author in authors) and not self.wrongly_notified(
            authors
        )

    def assert_all_agree(self, posts: list[Post], readers: Sequence[Member] = ()) -> None:
        """Every store contains what was acknowledged, and nothing else: tables, events, counts, feeds, index, and
        so on.

        The posts are all that their authors have ever written.
        """
        eventually(self.confirmed, seconds=SETTLE_SECONDS)
        self.assert_each_written_once(posts)
        self.assert_nothing_twice()
        authors = list({post.author.id: post.author for post in posts}.values())
        for author in authors:
            assert self.posts_count(author) == sum(post.author.id == author.id for post in posts)
        assert self.wrongly_notified(authors) == 0, "each follower was notified of each post once"
        for reader in readers:
            assert reader.feed_ids() == self.feed_in_sql(reader)
        self.assert_projections_agree()

    def assert_projections_agree(self) -> None:
        """The product's own comparison: counts, feed lists, search index, notifications and metrics."""
        reports = as_json(self.manage("verify", "--json", check=False).stdout)["contexts"]
        found = [(report["context"], len(report["drifts"]), report["drifts"][:3]) for report in reports]
        assert not any(number for _, number, _ in found), f"drift, by context, the number and some examples: {found}"

    # --- Load ------------------------------------------------------------------------------------------------------

    def write(self, authors: Sequence[Member], count: int) -> list[Post]:
        """Writes this many posts, one after the other, by the authors in turn."""
        posts = [
            Post(authors[number % len(authors)], f"post {number}", secrets.token_hex(8)) for number in range(count)
        ]
        for post in posts:
            answer = self.send(post)
            assert answer.status_code == 201, answer.text
        return posts

    def send(self, post: Post, *, http: httpx.Client | None = None, url: str = "") -> httpx.Response:
        """One attempt to write the post; records a 201."""
        answer = (http or self.http).post(
            f"{url or self.url}/v1/posts",
            json={"content": post.content},
            headers={"Authorization": f"Bearer {post.author.access}", "Idempotency-Key": post.key},
        )
        if answer.status_code == 201:
            post.answer = answer.json()
        return answer


@dataclass
class Writers:
    """Users who write posts, each in a thread, and retry with the same key until they get a response."""

    installation: Installation
    authors: list[Member]
    pause: float = 0.0
    posts: list[Post] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)  # status codes other than 201

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """They write until the block ends; requests begun by then are retried until they get a response."""
        stopping = threading.Event()
        threads = [threading.Thread(target=self._write, args=(author, stopping)) for author in self.authors]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stopping.set()
            for thread in threads:
                thread.join(_TRY_SECONDS + 30)
        assert not any(thread.is_alive() for thread in threads)

    def _write(self, author: Member, stopping: threading.Event) -> None:
        with httpx.Client(timeout=20) as http:
            while not stopping.is_set():
                post = Post(author, f"post {secrets.token_hex(4)} of {author.username}", secrets.token_hex(8))
                self.posts.append(post)
                deadline = time.monotonic() + _TRY_SECONDS
                while post.answer is None and time.monotonic() < deadline:
                    self._try(post, http)
                stopping.wait(self.pause)

    def _try(self, post: Post, http: httpx.Client) -> None:
        try:
            answer = self.installation.send(post, http=http)
        except httpx.HTTPError:
            time.sleep(0.05)
            return
        if answer.status_code != 201:
            self.refused.append(answer.status_code)
            time.sleep(0.05)


def crowd(installation: Installation, author: Member, people: int) -> range:
    """Gives an author this many followers, inserted with SQL: the index does not contain them. Their ids."""
    first = (int(time.time() * 1000) << 16) + secrets.randbelow(1 << 12) * (1 << 20)
    ids = range(first, first + people)
    sql = installation.database.sql
    sql(
        "INSERT INTO faults_users.profiles (user_id, username, username_key, full_name, bio, profile_picture, status,"
        " is_private, version, following_version, erased, created_at)"
        f" SELECT {first} + seq, CONCAT('crowd', {first} + seq), CONCAT('crowd', {first} + seq), '', '', '', 'active',"
        f" 0, 1, 1, 0, NOW() FROM faults_users.seq_0_to_{people - 1}"
    )
    sql(
        "INSERT INTO faults_users.follows (id, follower_id, following_id, created_at)"
        f" SELECT {first} + seq, {first} + seq, %s, NOW() FROM faults_users.seq_0_to_{people - 1}",
        int(author.id),
    )
    sql(
        "INSERT INTO faults_users.follow_counts (user_id, slot, followers, following)"
        f" SELECT %s, ({first} + seq) >> 16 & 15, COUNT(*), 0 FROM faults_users.seq_0_to_{people - 1} GROUP BY 2"
        " ON DUPLICATE KEY UPDATE followers = followers + VALUES(followers)",
        int(author.id),
    )
    sql(
        "INSERT INTO faults_users.follow_counts (user_id, slot, followers, following)"
        f" SELECT {first} + seq, (%s >> 16) & 15, 0, 1 FROM faults_users.seq_0_to_{people - 1}",
        int(author.id),
    )
    sql(
        "INSERT INTO faults_metrics.metrics_author_rollups (id, author_id, period, start, posts, followers)"
        " VALUES (%s, %s, 'day', UTC_DATE(), 0, %s) ON DUPLICATE KEY UPDATE followers = followers + VALUES(followers)",
        first,
        int(author.id),
        people,
    )
    return ids


def disperse(installation: Installation, people: range) -> None:
    """Removes such a crowd with its notifications, so that later tests need not process it."""
    for table, column in (
        ("users.follows", "follower_id"),
        ("users.follow_counts", "user_id"),
        ("users.profiles", "user_id"),
        ("notifications.notifications", "user_id"),
    ):
        installation.database.sql(f"DELETE FROM faults_{table} WHERE {column} BETWEEN %s AND %s", people[0], people[-1])


def as_json(text: str) -> Any:
    """The parsed output of a command with --json."""
    return json.loads(text)
