"""The base of the other settings files: the environment, the paths of this installation, its public URL."""

from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_NO = ("", "false", "off", "n", "no", "0")
_SHOWN = {int: "a whole number", float: "a number", bool: "yes or no"}  # others may be secrets


class _Environment(environ.Env):
    """Names the variable whose value cannot be used; django-environ reads a misspelled `yes` as no, `500ms` as 500."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        """The value of `var` as a `cast`; ImproperlyConfigured if it is not one."""
        given = self.ENVIRON.get(var)
        try:
            if cast is float and given is not None:
                return float(given)
            value = super().get_value(var, cast=cast, default=default, parse_default=parse_default)
            if cast is bool and not value and (given or "").strip().lower() not in _NO:
                raise ValueError
        except ValueError:
            shown = f", not {given!r}" if cast in _SHOWN else ""
            raise ImproperlyConfigured(f"{var} must be {_SHOWN.get(cast, 'valid')}{shown}") from None
        return value


env: Any = _Environment()  # type: ignore[no-untyped-call]


def url_of(name: str, *schemes: str, default: str = "") -> str:
    """The URL in the variable `name`, or `default` if it is empty; ImproperlyConfigured for another scheme."""
    url: str = env.str(name, default="") or default
    if url and not url.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}")
    return url


BASE_DIR = Path(__file__).resolve().parents[2]
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "var"))).resolve()
SECRET_KEY = env.str("SECRET_KEY", default="")
PUBLIC_URL = url_of("PUBLIC_URL", "https", "http", default="http://127.0.0.1:8000").rstrip("/")
is_https = PUBLIC_URL.startswith("https://")
