"""`python -m tests.bench.media`: cost of a picture, fifty concurrent uploads, and a feed with and without pictures.

Starts the embedded default in a temporary folder. Conversions run in separate processes, so the results are valid for
servers too.
"""

import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image

from tests.scenarios.product import Member, Product, eventually, own_services, start_product, stop_product

_ROUNDS = 5
_UPLOADS = 50
_REQUESTS = 200

# In a separate process, as a child's peak memory includes the size of its parent.
_CONVERT = """
import json, resource, sys, tempfile
from pathlib import Path
from socialapp.core.media.convert import convert
with tempfile.TemporaryDirectory() as folder:
    made = convert(Path(sys.argv[1]), file_format="jpeg", target=Path(folder), heartbeat=lambda: None)
assert len(made.files) == 3 and made.blurhash
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"cpu": used.ru_utime + used.ru_stime, "mib": used.ru_maxrss / 1024}))
"""


def picture(size: tuple[int, int]) -> bytes:
    """A photo-like JPEG: large shapes with fine noise."""
    image = Image.effect_noise((size[0] // 8, size[1] // 8), 90).resize(size, Image.Resampling.BICUBIC)
    noise = Image.effect_noise(size, 24)
    buffer = io.BytesIO()
    Image.merge("RGB", (image, Image.blend(image, noise, 0.3), noise)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def conversion() -> dict[str, float]:
    """Median CPU seconds and MiB of the process that converts 12 megapixels to three WebP and a blurhash."""
    with tempfile.NamedTemporaryFile(suffix=".jpeg") as file:
        file.write(picture((4000, 3000)))
        file.flush()
        runs = [
            json.loads(
                subprocess.run([sys.executable, "-c", _CONVERT, file.name], capture_output=True, check=True).stdout
            )
            for _ in range(_ROUNDS)
        ]
    return {name: round(statistics.median(run[name] for run in runs), 2) for name in ("cpu", "mib")}


def send(member: Member, content: bytes) -> str:
    """Uploads a picture; returns its id."""
    answer = httpx.post(
        f"{member.product.url}/v1/media",
        files={"file": ("picture.jpeg", content)},
        headers={"Authorization": f"Bearer {member.access}"},
        timeout=120,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def is_ready(member: Member, media_id: str) -> bool:
    status = member.get(f"/v1/media/{media_id}").json()["status"]
    assert status != "failed"
    return bool(status == "ready")


def uploads_at_once(member: Member) -> tuple[list[str], dict[str, float]]:
    """Uploads fifty 2-megapixel pictures concurrently: seconds until all are accepted, and until all are converted."""
    contents = [picture((1600, 1200)) for _ in range(4)]
    started = time.monotonic()
    with ThreadPoolExecutor(_UPLOADS) as pool:
        ids = list(pool.map(lambda number: send(member, contents[number % 4]), range(_UPLOADS)))
    taken = time.monotonic() - started
    for media_id in ids:
        eventually(lambda media_id=media_id: is_ready(member, media_id), seconds=300)  # type: ignore[misc]
    most = max(process.memory_info().rss for process in processes(member.product)) / 2**20
    figures = {"taken_s": taken, "converted_s": time.monotonic() - started, "largest_process_mib": most}
    return ids, {name: round(value, 1) for name, value in figures.items()}


def processes(product: Product) -> list[psutil.Process]:
    root = psutil.Process(product.process.pid)
    return [root, *root.children(recursive=True)]


def web_process(product: Product, reader: Member) -> psutil.Process:
    """The process of the web role that serves requests: the one that used the most CPU for a few of them."""
    web = [process for process in processes(product) if process.name() == "web"]
    before = {process: sum(process.cpu_times()[:2]) for process in web}
    for _ in range(50):
        reader.get("/v1/feed")
    return max(before, key=lambda process: sum(process.cpu_times()[:2]) - before[process])


def feed_cost(web: psutil.Process, reader: Member) -> float:
    """CPU milliseconds of the web role for a feed of 20 posts."""
    used = sum(web.cpu_times()[:2])
    for _ in range(_REQUESTS):
        assert len(reader.get("/v1/feed").json()["results"]) == 20
    return (sum(web.cpu_times()[:2]) - used) / _REQUESTS * 1000


def main() -> None:
    """Prints one JSON object."""
    figures: dict[str, Any] = {"picture": conversion()}
    with tempfile.TemporaryDirectory() as folder, own_services(embedded=True) as services:
        product = start_product(Path(folder), services)
        try:
            plain, pictured = product.join("plain"), product.join("pictured")
            ids, figures["uploads"] = uploads_at_once(pictured)
            ids += [send(pictured, picture((64, 48))) for _ in range(30)]
            for media_id in ids:
                eventually(lambda media_id=media_id: is_ready(pictured, media_id), seconds=300)  # type: ignore[misc]
            for number in range(20):
                plain.write(f"thought {number}")
                pictured.write(f"thought {number}", media_ids=ids[number * 4 : number * 4 + 4])
            web = web_process(product, plain)
            rounds = [(feed_cost(web, plain), feed_cost(web, pictured)) for _ in range(3)]
            without, with_pictures = (statistics.median(column) for column in zip(*rounds, strict=True))
            figures["feed"] = {
                "without_ms": round(without, 2),
                "with_ms": round(with_pictures, 2),
                "more_percent": round((with_pictures / without - 1) * 100, 1),
            }
        finally:
            stop_product(product)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
