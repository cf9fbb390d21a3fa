"""Operation ids follow one pattern in the whole API, as generated clients use them as method names."""

import re

from socialapp.http.whole_schema import WholeSchemaGenerator

METHODS = {"get": ("list", "read"), "put": ("set",), "patch": ("edit",), "delete": ("delete", "delete_others")}


def test_operation_ids_consist_of_path_and_action() -> None:
    schema = WholeSchemaGenerator().get_schema(request=None, public=True)
    operations = [
        (path, method, operation["operationId"])
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1/")
    ]
    names = [name for _, _, name in operations]
    assert len(names) > 100
    assert len(names) == len(set(names)), "operation ids are unique"
    for path, method, name in operations:
        words = "_".join(re.findall(r"[a-z]+", re.sub(r"\{\w+\}", "", path.removeprefix("/v1/"))))
        verbs = METHODS.get(method, ("create", ""))
        assert name in [f"{words}_{verb}".rstrip("_") for verb in verbs], (method, path)
