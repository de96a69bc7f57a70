"""The lesson that a docstring names with "Taught in" uses the helper, or explains it."""

import ast
import re

import lessons
import pytest
from lessons import PATHS
from test_thin import MODULES, handed_on, used_names

NAMED = re.compile(r"Taught in\s+notebooks/(\w+)\.ipynb")


def claims(text):
    """{public name: lessons that its docstring names} of a module."""
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            named = NAMED.findall(ast.get_docstring(node) or "")
            if named and not node.name.startswith("_"):
                found[node.name] = named
    return found


def taught(cells, solutions, texts, home):
    """(module, name) of each helper that a lesson's code uses or its text names in code style.

    Args:
        cells, solutions: trees of code; one program.
        texts: of the text cells; `audio.load` or `audio.load(path)` names a helper.
        home: {(package, name): module} of names that packages hand on.
    """
    used = used_names([*cells, *solutions])
    for code in re.findall(r"`([^`\n]+)`", "\n".join(texts)):
        for module, name in re.findall(r"\b([a-z]\w*)\.([A-Za-z]\w*)", code):
            used |= {(module, name)} | {(m, name) for m in MODULES if m.endswith(f".{module}")}
    return used | {(home[pair], pair[1]) for pair in used if pair in home}


def false_claims(module, text, shown):
    """The claims of a module that no lesson bears out; `shown` is {lesson: taught}."""
    return [
        f"{module}.{name} is not in {lesson}"
        for name, named in claims(text).items()
        for lesson in named
        if (module, name) not in shown.get(lesson, ())
    ]


@pytest.fixture(scope="module")
def shown():
    home = {
        (package, name): module
        for package in ("datasets", "widgets")
        for name, module in handed_on(MODULES[package]).items()
    }
    all_lessons = {}
    for path in PATHS:
        lesson = lessons.read(path)
        cells = [lessons.tree(cell) for cell in lesson.code]
        solutions = [ast.parse(text) for text in lesson.solutions.values() if text]
        texts = [cell.source for cell in lesson.texts]
        all_lessons[lesson.stem] = taught(cells, solutions, texts, home)
    return all_lessons


@pytest.mark.parametrize("module", [name for name, text in MODULES.items() if claims(text)])
def test_the_lesson_that_a_docstring_names_uses_or_explains_the_helper(module, shown):
    assert false_claims(module, MODULES[module], shown) == []


# ---- this check must be able to fail

HELPER = '''
def load(path):
    """Read.

    Taught in notebooks/01_waveforms.ipynb.
    """
'''


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("from helpers import audio\naudio.load(1)", "", True),
        ("from helpers.audio import load", "", True),
        ("", "What `audio.load` does", True),
        ("", "What `audio.load(path)` does", True),
        ("", "What audio.load does", False),
        ("from helpers import audio\naudio.level(1)", "", False),
        ("import numpy as np\nnp.load(1)", "", False),
    ],
)
def test_a_claim_is_borne_out_by_code_or_text(code, text, found):
    got = taught([ast.parse(code)], [], [text], {})
    assert (false_claims("audio", HELPER, {"01_waveforms": got}) == []) == found


def test_a_lesson_that_does_not_exist_bears_out_nothing():
    assert false_claims("audio", HELPER, {}) == ["audio.load is not in 01_waveforms"]
