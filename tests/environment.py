"""A pytest plugin that fills in the environment the product reads, before Django's settings are loaded."""

import os
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


os.environ.setdefault("DATA_DIR", str(Path(tempfile.mkdtemp(prefix="socialapp-tests-"))))
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 40)
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:6380/0")
os.environ.setdefault("RATE_LIMITS", "off")
os.environ.setdefault("LOG_LEVEL", "ERROR")
if not os.environ.get("JWT_PRIVATE_KEY"):
    os.environ["JWT_PRIVATE_KEY"] = _private_key()
(Path(os.environ["DATA_DIR"]) / "db").mkdir(parents=True, exist_ok=True)
