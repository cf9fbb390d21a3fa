"""Posts with pictures, including the files: public, private, deleted, and with an erased author."""

from concurrent.futures import ThreadPoolExecutor

from tests.scenarios.pictures import fetch, picture, see_pictures, upload
from tests.scenarios.product import PASSWORD, Product, eventually


def test_pictures_have_the_visibility_of_their_post(product: Product) -> None:
    see_pictures(product)


def test_pictures_of_an_erased_author_are_deleted(product: Product) -> None:
    ada = product.join("ada")
    face = upload(ada, picture("face"))
    assert ada.patch("/v1/profiles/me", {"profile_picture_media_id": face}).status_code == 200
    post = ada.write("look", media_ids=[upload(ada, picture("post"))])
    urls = [product.call("GET", f"/v1/profiles/{ada.id}").json()["profile_picture"], post["media"][0]["url"]]
    assert [fetch(product, url).status_code for url in urls] == [200, 200]
    assert ada.delete("/v1/auth/me", {"password": PASSWORD}).status_code == 202
    eventually(lambda: [fetch(product, url).status_code for url in urls] == [404, 404])


def test_a_comment_with_a_picture_sent_concurrently_with_one_key_is_written_once(product: Product) -> None:
    ada = product.join("ada")
    path = f"/v1/posts/{ada.write('look')['id']}/comments"
    for number in range(3):
        body = {"content": "this", "media_ids": [upload(ada, picture(f"comment {number}"))]}
        with ThreadPoolExecutor(4) as pool:
            sent = [pool.submit(ada.post, path, body, Idempotency_Key=f"key {number}") for _ in range(4)]
        answers = [(one.result().status_code, one.result().json()["id"]) for one in sent]
        assert [status for status, _ in answers] == [201] * 4
        assert len(set(answers)) == 1
    assert ada.get(path).json()["results"][2]["media"][0]["status"] == "ready"
