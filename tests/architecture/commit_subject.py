"""The hook for commit messages: `area: Imperative sentence.`, at most 72 characters. Argument: the message's file."""

import re
import sys
from pathlib import Path

_SUBJECT = re.compile(r"(?:[a-z][\w/-]*: [A-Z].*|Merge .*|Revert .*|fixup! .*|squash! .*)")


def main() -> int:
    """Returns 1 and prints the reason if the subject is invalid."""
    subject = Path(sys.argv[1]).read_text().partition("\n")[0]
    if _SUBJECT.fullmatch(subject) and len(subject) <= 72:
        return 0
    sys.stderr.write(f"Not `area: Imperative sentence.` of at most 72 characters: {subject}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
