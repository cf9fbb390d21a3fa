"""Finds banned words: `python -m tests.architecture.words [FILE…]`; without files, in all files that git tracks.

Each was a private term, an odd phrase or a second spelling of something that has a usual word. Add a word here when you
replace it.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Pattern → what to write instead. Handlers keep their names, which inboxes store: `tell_of_appeal`.
BANNED = {
    r"[Ll]ookers?": "viewer",
    r"sight_of|Sight": "visibility",
    r"Surroundings": "PostStats",
    r"card_body": "profile summary",
    r"GoneThing|GoneSubject|ErasedUser|ErasedAuthor": "tombstone",
    r"Withdrawn(Post|Comment)|delete_long_withdrawn": "removed",
    r"bury|_?buried|buries": "write a tombstone",
    r"ToldMany|WasRead": "socket message",
    r"again_after_deadlock": "@transactional",
    r"give_up_on_silence": "database timeouts",
    r"answering_within|X-Call-Seconds": "deadline",
    r"lets_through": "allow",
    r"in_stages|show_upwards|remove_needless": "a word of the domain",
    r"(is|are|was|were) away(?! from| with)": "unavailable",
    r"c[ao]mes? upon": "come across",
    r"anew": "again, re-",
    r"for the case that|else than|without a word|does by the clock": "plain English",
    r"the (last|later) word (about|of) it|tells? of the|state that \w+ tells? of": "decision, describes",
    r"note_\\w+|mends?|mended": "record_*, repair",
    r"none finds none|the looks of|a lost word": "plain English",
    r"hears? (?:\w+ )?of|heard (?:of|twice|before)|hear (?=\()": "deliver, notify",
    r"(?:is|are|be|was|were) told of|tells? of(?! appeal)|asks? after": "notify, publish, report",
    r"rests? as|at rest|goes to rest": "is a dead letter, idles",
    r"comes? round": "returns, is due",
    r"living(?! up)": "existing, not deleted",
    r"gone among|refuse if gone|\w+ still held": "deleted_among, …_with_rows",
    r"may meet|to be let in|lets? them in": "may see, accept",
    r"pass(?:es|ed)? (?:a post|the post|posts|it) on|passed on (?:to|now|most)": "repost, forward",
    r"faults? of ours": "server error",
    r"nobody's business|in vain|of late|of before(?! the)|twice or thrice": "plain English",
    r"short way|ordinary way": "fast path",
    r"stands? around": "context, thread",
    r"way of (?:one|a) request": "trace",
    r"how \w+(?: \w+)? fares?": "state",
    r"(?:[Bb]ehaviour|[Cc]olour|[Nn]ormalis|[Rr]ecognis|[Ff]avour|[Nn]eighbour|[Hh]onour)\w*": "the American spelling",
}
# A space in a pattern also matches an underscore in a name.
# What all have in common is in front, so that nothing else is tried within words.
_ANY = "|".join(rf"(?P<b{number}>{pattern.replace(' ', '[ _]')})" for number, pattern in enumerate(BANNED))
_PATTERN = re.compile(rf"(?<![A-Za-z])(?:{_ANY})(?![A-Za-z])")
_SKIPPED = (
    "tests/architecture/words.py",
    "tests/search/judged.py",  # posts and queries
    "socialapp/demo/texts.py",  # quotations
    "requirements",
    "docs/img/",
    "web/vendor/",
)
_SUFFIXES = {".py", ".md", ".yaml", ".yml", ".toml", ".js", ".html", ".css", ".sh", ".conf", ""}


def findings(files: Iterable[str]) -> Iterator[str]:
    """`file:line: word (instead)` for each banned word."""
    for name in files:
        path = ROOT / name
        if name.startswith(_SKIPPED) or "/migrations/" in name or path.suffix not in _SUFFIXES or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            for match in _PATTERN.finditer(line):
                instead = list(BANNED.values())[int(str(match.lastgroup)[1:])]
                yield f"{name}:{number}: {match[0]}: say {instead}"


def main() -> int:
    """Prints the findings; 1 if there are any."""
    files = sys.argv[1:] or subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    found = list(findings(files))
    print("\n".join(found), end="\n" if found else "")  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
