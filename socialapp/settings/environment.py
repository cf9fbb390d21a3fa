"""The base of the other settings files: the environment, the paths of this installation, its public URL."""

from pathlib import Path
from typing import Any

import environ

env: Any = environ.Env()  # type: ignore[no-untyped-call]
BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env.str("SECRET_KEY", default="")
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
is_https = PUBLIC_URL.startswith("https://")
