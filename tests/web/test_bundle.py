"""Bundling modules, and rejecting what the bundler does not support."""

import re

import pytest

from web.assets import APP
from web.bundle import NotBundled, bundles


def sources() -> dict[str, str]:
    return {file.relative_to(APP).as_posix(): file.read_text() for file in APP.rglob("*.js")}


def test_every_module_is_in_one_of_the_two_files_once() -> None:
    made = bundles(sources())
    places = re.findall(r'^\$\["([^"]+)"\]=\(\(\)=>', "".join(made.values()), re.MULTILINE)
    assert sorted(places) == sorted(set(sources()) - {"boot.js", "captcha.js", "sw.js"})


def test_imports_and_exports_become_variables() -> None:
    made = bundles(
        {
            "main.js": 'import { one, two as deux } from "./a/b.js";\nexport const sum = one + deux;\n',
            "a/b.js": 'export const one = 1;\nconst two = 2;\nexport { two };\nconst go = () => import("../c.js");\n',
            "c.js": "export async function run() {}\n",
        }
    )
    assert 'const {one,two:deux}=$["a/b.js"];' in made["app.js"]
    assert "return{two,one}" in made["app.js"]
    assert '$later("c.js")' in made["app.js"]
    assert "return{run}" in made["later.js"]


def test_what_only_readers_need_is_left_out() -> None:
    text = 'export const run = () => {\n  const at = "https://a.example // b"; // why\n\n  return at; // it\'s so\n};\n'
    made = bundles({"main.js": text + 'import("./a.js");\n', "a.js": "export const a = 1;\n"})["app.js"]
    assert 'const at = "https://a.example // b";\nreturn at; // it\'s so\n};' in made


def test_an_import_cycle_is_rejected() -> None:
    with pytest.raises(NotBundled, match=re.escape("main.js > a.js > main.js")):
        bundles({"main.js": 'import { a } from "./a.js";\n', "a.js": 'import { b } from "./main.js";\n'})


@pytest.mark.parametrize("text", ["export let changing = 1;\n", 'import * as all from "./a.js";\n'])
def test_unsupported_syntax_is_rejected(text: str) -> None:
    with pytest.raises(NotBundled):
        bundles({"main.js": text, "a.js": ""})


def test_files_stay_readable() -> None:
    long = {path: text.count("\n") for path, text in sources().items() if not path.startswith("vendor/")}
    assert {path: lines for path, lines in long.items() if lines > 300} == {}
