"""Uploads pictures, and checks them whichever server sends the files."""

import io

import httpx
from PIL import Image

from tests.scenarios.product import Member, Product, eventually


def picture(color: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((1000, 700), 60).convert("RGB").save(file, "JPEG", comment=color.encode())
    return file.getvalue()


def upload(member: Member, content: bytes) -> str:
    """Uploads a picture and waits until the worker has converted it; returns its id."""
    answer = member.product.http.post(
        f"{member.product.url}/v1/media",
        files={"file": ("../../picture.jpg", content)},
        data={"description": "noise"},
        headers={"Authorization": f"Bearer {member.access}"},
    )
    assert answer.status_code == 202, answer.text
    media_id = str(answer.json()["id"])
    eventually(lambda: member.get(f"/v1/media/{media_id}").json()["status"] == "ready")
    return media_id


def fetch(product: Product, url: str, **headers: str) -> httpx.Response:
    """GETs a file's URL without a token, as a browser's <img> does."""
    assert url.startswith(product.url)
    return product.http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def see_pictures(product: Product) -> None:
    """Checks that pictures have their post's visibility: public, then followers only, then deleted."""
    ada, bob, eve = product.join("ada"), product.join("bob"), product.join("eve")
    bob.follow(ada)
    media_ids = [upload(ada, picture(color)) for color in ("red", "blue")]
    post = ada.write("two pictures", media_ids=media_ids)
    assert eventually(lambda: post["id"] in bob.feed_ids())
    [seen] = [item for item in bob.all_of("/v1/feed") if item["id"] == post["id"]]
    assert [media["id"] for media in seen["media"]] == media_ids
    assert seen["media"][0]["description"] == "noise"
    url = seen["media"][0]["url"]

    whole = fetch(product, url)
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "image/webp")
    assert whole.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert whole.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert whole.content[8:12] == b"WEBP"
    assert int(whole.headers["Content-Length"]) == len(whole.content)
    part = fetch(product, url, Range="bytes=8-11")
    assert (part.status_code, part.content) == (206, b"WEBP")
    assert part.headers["Content-Range"] == f"bytes 8-11/{len(whole.content)}"
    assert fetch(product, url, Range=f"bytes={len(whole.content)}-").status_code == 416
    assert fetch(product, url, Range="pictures=0-1").content == whole.content
    assert fetch(product, f"{product.url}/_media/files/").status_code == 404

    assert ada.patch(f"/v1/posts/{post['id']}", {"is_private": True}).status_code == 200
    assert fetch(product, url).status_code == 404
    [private] = [media["url"] for media in bob.get(f"/v1/posts/{post['id']}").json()["media"][:1]]
    signed = fetch(product, private)
    assert (signed.status_code, signed.content) == (200, whole.content)
    assert signed.headers["Cache-Control"].startswith("private, max-age=")
    assert eve.get(f"/v1/posts/{post['id']}").status_code == 404
    other = product.join("mallory")
    assert other.post("/v1/posts", {"content": "mine", "media_ids": media_ids}).status_code == 422

    assert ada.delete(f"/v1/posts/{post['id']}").status_code == 204
    assert [fetch(product, address).status_code for address in (url, private)] == [404, 404]
