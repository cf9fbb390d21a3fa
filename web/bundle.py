"""Joins the client's modules into two files, so that a page needs two requests for scripts and not a hundred.

Done when the server starts, and on purpose simple: every module becomes a function that is called once, after those it
imports. It understands the forms that the modules use: named imports and exports, no cycles, `import()` of views.
"""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

START = "main.js"
NOW = "app.js"
LATER = "later.js"

LIBRARIES = {
    "preact": "vendor/preact.js",
    "preact/hooks": "vendor/hooks.js",
    "@preact/signals": "vendor/signals.js",
    "@preact/signals-core": "vendor/signals-core.js",
    "htm": "vendor/htm.js",
    "uqr": "vendor/uqr.js",
}

_EDGE = r"(?:(?<=[;}\n])|^)"  # libraries are minified: statements begin after another's end, too
_NAMES = r"\s*\{([^{}]*)\}\s*"
_IMPORT = re.compile(rf'{_EDGE}import{_NAMES}from\s*"([^"]+)";?')
_IMPORT_DEFAULT = re.compile(rf'{_EDGE}import (\w+) from\s*"([^"]+)";?')
_EXPORT_FROM = re.compile(rf'{_EDGE}export{_NAMES}from\s*"([^"]+)";?')
_EXPORT_NAMES = re.compile(rf"{_EDGE}export{_NAMES};?")
_EXPORT_DEFAULT = re.compile(rf"{_EDGE}export default ")
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
_IMPORT_LATER = re.compile(r'\bimport\("([^"]+)"\)')
_COMMENTS = re.compile(
    r"^\s*//[^\n]*\n|/\*\*.*?\*/[ \t]*\n?", re.MULTILINE | re.DOTALL
)  # JSDoc has import("types"), too
# What only readers need: indentation, empty lines, and comments behind code. What has quotes could be a string.
_FOR_READERS = re.compile(r"^\s+|[ \t]+// [^\n\"'`]*$", re.MULTILINE)


class NotBundled(Exception):
    """A module is written in a way that this does not understand."""


def bundles(modules: Mapping[str, str]) -> dict[str, str]:
    """`app.js` with what the first page needs, and `later.js` with the rest; `modules` maps paths to their text."""
    now = _in_order(modules, [START], set())
    targets = [
        _path(importer, target)
        for importer in now
        for target in _IMPORT_LATER.findall(_COMMENTS.sub("", modules[importer]))
    ]
    later = _in_order(modules, targets, set(now))
    loader = 'const $={},$later=async(path)=>{(await import("./later.js")).define($);return $[path]};\n'
    return {
        NOW: loader + "".join(_wrapped(path, modules[path]) for path in now),
        LATER: f'export function define($){{\nif($["{later[-1]}"])return;\n'
        + "".join(_wrapped(path, modules[path]) for path in later)
        + "}\n",
    }


def imports_of(path: str, text: str) -> list[str]:
    """The modules that a module imports at once."""
    found = [match[2] for form in (_IMPORT, _IMPORT_DEFAULT, _EXPORT_FROM) for match in form.finditer(text)]
    return [_path(path, target) for target in found]


def _in_order(modules: Mapping[str, str], starts: list[str], known: set[str]) -> list[str]:
    """What is reachable and not known yet, each after what it imports."""
    order: list[str] = []
    under_way: list[str] = []

    def visit(path: str) -> None:
        if path in under_way:
            raise NotBundled(f"a cycle of imports: {' > '.join([*under_way, path])}")
        if path in known:
            return
        if path not in modules:
            raise NotBundled(f"{under_way[-1]} imports {path}, which is not there")
        under_way.append(path)
        for target in imports_of(path, modules[path]):
            visit(target)
        under_way.pop()
        known.add(path)
        order.append(path)

    for start in starts:
        visit(start)
    return order


def _wrapped(path: str, text: str) -> str:
    """A module as a function that answers its exports, called where it stands."""
    body = text if path.startswith("vendor/") else _COMMENTS.sub("", text)
    exports: list[str] = []

    def import_names(match: re.Match[str]) -> str:
        return f'const {{{_renamed(match[1], ":")}}}=$["{_path(path, match[2])}"];'

    def export_from(match: re.Match[str]) -> str:
        names = [name.strip() for name in match[1].split(",") if name.strip()]
        exports.extend(f'{name}:$["{_path(path, match[2])}"].{name}' for name in names)
        return ""

    def export_names(match: re.Match[str]) -> str:
        exports.extend(_exported(match[1]))
        return ""

    def export(match: re.Match[str]) -> str:
        exports.append(match[2])
        return f"{match[1]} {match[2]}"

    body = _IMPORT.sub(import_names, body)
    body = _IMPORT_DEFAULT.sub(lambda match: f'const {match[1]}=$["{_path(path, match[2])}"].default;', body)
    body = _EXPORT_FROM.sub(export_from, body)
    body = _EXPORT_NAMES.sub(export_names, body)
    if _EXPORT_DEFAULT.search(body):
        exports.append("default:$default")
        body = _EXPORT_DEFAULT.sub("const $default=", body)
    body = _EXPORT.sub(export, body)
    body = _IMPORT_LATER.sub(lambda match: f'$later("{_path(path, match[1])}")', body)
    if left := re.search(r"^(?:import|export)\b.*", body, re.MULTILINE):
        raise NotBundled(f"{path}: {left[0][:80]}")
    if not path.startswith("vendor/"):
        body = _FOR_READERS.sub("", body)
    return f'$["{path}"]=(()=>{{\n{body}\nreturn{{{",".join(exports)}}}}})();\n'


def _renamed(names: str, sign: str) -> str:
    """`a as b, c` with another sign between a name and its new one."""
    return ",".join(re.sub(r"\s+as\s+", sign, name.strip()) for name in names.split(",") if name.strip())


def _exported(names: str) -> list[str]:
    """`a as b, c` of an export as members of an object: `b:a`, `c`."""
    members = []
    for name in names.split(","):
        inner, _, outer = name.strip().partition(" as ")
        if inner:
            members.append(f"{outer}:{inner}" if outer else inner)
    return members


def _path(importer: str, target: str) -> str:
    """The path of what a module imports."""
    if target in LIBRARIES:
        return LIBRARIES[target]
    parts: list[str] = []
    for part in (PurePosixPath(importer).parent / target).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
