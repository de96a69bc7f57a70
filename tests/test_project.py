"""Files for those who cite, report or contribute: well-formed, and one with pyproject.toml."""

import json
import re
import tomllib

import pytest
import yaml
from lessons import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIREMENTS = (ROOT / "requirements.txt").read_text("utf-8")


def read(path):
    return yaml.safe_load((ROOT / path).read_text("utf-8"))


def test_the_citation_names_the_version_and_licence_of_the_package():
    citation = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]


@pytest.mark.parametrize(
    "path", ["LICENSE", "README.md", "data/README.md", "data/pretrained/README.md"]
)
def test_what_is_of_others_is_credited(path):
    text = " ".join((ROOT / path).read_text("utf-8").split())
    for whose in (r"YAMNet\S*,? (by|\()\W*Google", "M. Moreaux", "Apache", "CC BY-SA"):
        assert re.search(whose, text), f"{whose} is missing"


def test_the_hooks_use_the_ruff_that_the_tests_use():
    wanted = re.search(r"^ruff\S+", REQUIREMENTS, re.MULTILINE)[0]
    hooks = read(".pre-commit-config.yaml")["repos"][0]["hooks"]
    assert [hook["additional_dependencies"] for hook in hooks] == [[wanted], [wanted]]


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda p: p.stem
)
def test_actions_are_pinned_by_commit_with_their_version_beside(path):
    uses = re.findall(r"\buses: *(.+)", path.read_text("utf-8"))
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


def test_make_test_checks_the_style_and_the_layout_of_the_code():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    assert "ruff check ." in recipe and "ruff format --check" in recipe


def test_the_container_has_a_python_that_the_package_allows():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    minor = int(re.search(r":3\.(\d+)$", container["image"])[1])
    low, high = map(int, re.findall(r"3\.(\d+)", PROJECT["requires-python"]))
    assert low <= minor < high


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_forms_ask_for_something(name):
    form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert form["name"] and form["description"]
    ids = [field["id"] for field in form["body"]]
    assert ids and len(set(ids)) == len(ids)
    assert any(field.get("validations", {}).get("required") for field in form["body"])
