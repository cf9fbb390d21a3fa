"""Resolves paths through a table, where Django tries two hundred patterns one by one."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.urls import Resolver404, ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern


class RouteTable(URLResolver):
    """The routes under a prefix, each of which begins with a fixed segment and has a fixed number of segments.

    A path is looked up as a whole, for routes without parameters, and then by its first segment and its number of
    segments; Django matches the candidates. So no parameter may contain a slash, as with `<path:…>`.
    """

    def __init__(self, prefix: str, patterns: Sequence[URLPattern]) -> None:
        super().__init__(RoutePattern(prefix), list(patterns))
        self._prefix = prefix
        groups: dict[object, list[URLPattern]] = defaultdict(list)
        for pattern in patterns:
            route = str(pattern.pattern)
            groups[_shape(route) if "<" in route else route].append(pattern)
        self._groups = {key: URLResolver(RoutePattern(prefix), group) for key, group in groups.items()}

    def resolve(self, path: Any) -> ResolverMatch:
        """The route of a path; Resolver404 if there is none."""
        rest = str(path).removeprefix(self._prefix)
        group = self._groups.get(rest) or self._groups.get(_shape(rest))
        if group is None or rest == path:
            raise Resolver404({"path": path, "tried": []})
        return group.resolve(path)


def _shape(route: str) -> tuple[str, int]:
    return route.partition("/")[0], route.count("/")
