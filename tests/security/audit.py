"""Checks requirements.lock for published advisories. If no source can be reached, it reports that.

`python -m tests.security.audit`, a step of `./test --static`; the exit status is 1 when there is an advisory.
"""

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_COMMAND = (
    sys.executable, "-m",
    "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip", "--format", "json", "--timeout", "5",
    "--progress-spinner", "off",
)  # fmt: skip
_SECONDS = 120


def main() -> int:
    """Prints the findings; returns the exit status."""
    try:
        found = subprocess.run(_COMMAND, capture_output=True, text=True, check=False, timeout=_SECONDS)
        dependencies = json.loads(found.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        dependencies = []
    audited = [one for one in dependencies if "vulns" in one]
    if not audited:
        print("no advisory source can be reached: the dependencies were not audited")
        return 0
    for one in audited:
        for advisory in one["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version"
            print(f"{one['name']} {one['version']}: {advisory['id']}, fixed in {fixed}")
    print(f"{len(audited)} of {len(dependencies)} dependencies audited")
    return int(any(one["vulns"] for one in audited))


if __name__ == "__main__":
    sys.exit(main())
