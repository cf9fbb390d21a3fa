"""Response bodies of search."""

from apps.search.access import Result


def result_body(result: Result) -> dict[str, object]:
    """The API's result object."""
    return {"type": result.type, "item": result.item, "highlight": result.highlight}
