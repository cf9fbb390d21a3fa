"""Downloads exports, for tests of their content."""

import io
import zipfile

from apps.auth import tasks
from tests.conftest import JsonClient, Person


def archive_of(person: Person) -> zipfile.ZipFile:
    """Requests an export, runs its job and downloads it."""
    person.confirm()
    export_id = person.client.post("/v1/auth/me/export").json()["id"]
    tasks.build_exports()
    state = person.client.get(f"/v1/auth/exports/{export_id}").json()
    assert state["status"] == "ready"
    answer = JsonClient().get(state["url"].removeprefix("http://testserver"))
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    content = b"".join(answer.streaming_content)
    answer.close()
    return zipfile.ZipFile(io.BytesIO(content))
