"""helpers/ stays thin: nothing unused, nothing long, imports in one direction, no lesson named."""

import ast
import io
import re
import tokenize

import lessons
import pytest
from lessons import PATHS, ROOT

# A module imports only from those before it; colab stands alone.
ORDER = [
    *("__init__", "files", "cache", "quiet", "parameters", "headline", "whole", "audio"),
    "datasets.voices",
    "datasets.others",
    *("datasets.synthetic", "datasets.folders", "datasets.downloads", "splits"),
    *("datasets.catalog", "datasets", "features", "windows", "augmentation", "models"),
    *(
        "training",
        "evaluation",
        "article",
        "transfer",
        "resume",
        "recipes",
        "teacher",
        "export",
        "predict",
    ),
    *("cards", "plots"),
    *(f"datasets.large.{name}" for name in ("store", "table", "steps", "engine", "audit")),
    *("datasets.large.pipeline", "datasets.large.shards"),
    *("datasets.large", "datasets.large.__main__"),
    *("widgets.panel", "widgets.explorer", "widgets.labs", "widgets.augmentation"),
    *("widgets.activation", "widgets.quiz", "widgets.trade", "widgets.labeller", "widgets"),
    *(f"exercises.lesson_{number:02}" for number in range(11)),
    *(
        "exercises.record",
        "exercises",
        "exercises.__main__",
        "demo",
        "demo.answers",
        "demo.page",
        "demo.__main__",
        "demo.space",
    ),
]
ALONE = {"colab"}
ENTRY_POINTS = {"main", "EXERCISES"}


def name_of(path):
    """A module's name within helpers: "audio", "datasets.folders", "datasets" for a package."""
    parts = path.relative_to(ROOT / "helpers").with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path.read_text("utf-8") for path in (ROOT / "helpers").rglob("*.py")}


def public_names(text):
    """Functions, classes and constants that a module defines for others; not its exceptions."""
    names = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases}
            if not any(re.search(r"(Error|Exception|Warning)$", base) for base in bases):
                names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return {name for name in names if not name.startswith("_")} - ENTRY_POINTS


def imports(tree, package="helpers", known=MODULES):
    """Names bound to modules of the package: {local name: module}, and {(module, name)} taken."""
    modules, taken = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(f"{package}."):
                    modules[alias.asname or alias.name] = alias.name.removeprefix(f"{package}.")
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                origin = f"{package}.{origin}".rstrip(".")
            inner = origin.removeprefix(f"{package}.")
            for alias in node.names:
                if origin == package:
                    modules[alias.asname or alias.name] = alias.name
                elif origin.startswith(f"{package}.") and f"{inner}.{alias.name}" in known:
                    modules[alias.asname or alias.name] = f"{inner}.{alias.name}"
                elif origin.startswith(f"{package}."):
                    taken.add((inner, alias.name))
    return modules, taken


def used_names(trees):
    """(module, name) of every name of helpers that one program's code uses."""
    trees = list(trees)
    modules, used = {}, set()
    for tree in trees:
        more, taken = imports(tree)
        modules |= more
        used |= taken
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in modules:
                used.add((modules[ast.unparse(node.value)], node.attr))
    return used


def handed_on(text):
    """{name: module} of what a package's __init__ hands on: by an import, or by its _HOME."""
    home = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            home |= {alias.name: node.module.removeprefix("helpers.") for alias in node.names}
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOME":
            home |= {name: f"widgets.{at}" for name, at in ast.literal_eval(node.value).items()}
    return home


def unused(modules, programs):
    """Public names that neither a program nor another module uses."""
    used = {pair for trees in programs for pair in used_names(trees)}
    for package in ("datasets", "widgets"):
        home = handed_on(modules.get(package, ""))
        used |= {(home[name], name) for origin, name in used if origin == package and name in home}
    return sorted(
        f"{module}.{name}"
        for module, text in modules.items()
        if module not in ALONE
        for name in public_names(text)
        if (module, name) not in used
    )


def wrong_way(modules, order=ORDER, alone=ALONE):
    """Imports from a module that does not come before the importing one."""
    known = {*order, *alone}
    say = [f"{module} has no place in ORDER" for module in modules if module not in known]
    for module, text in modules.items():
        bound, taken = imports(ast.parse(text))
        sources = set(bound.values()) | {origin for origin, _ in taken}
        before = order[: order.index(module)] if module in order else []
        say += [f"{module} imports {s}" for s in sorted(sources) if s not in before]
    return say


def private(text):
    """Private names that a module takes from another one."""
    tree = ast.parse(text)
    bound, taken = imports(tree)
    found = {f"{origin}.{name}" for origin, name in taken if name.startswith("_")}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            value = ast.unparse(node.value)
            found |= {f"{bound[value]}.{node.attr}"} if value in bound else set()
    return sorted(found)


def named_lessons(text):
    """Mentions of notebooks outside docstrings, in code or comments."""
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            docstrings |= set(range(body[0].lineno, body[0].end_lineno + 1))
    mention = re.compile(r"notebooks/|\.ipynb|\b\d\d_[a-z]+\w*")
    # Python 3.12 splits an f-string into tokens of their own.
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
    return [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type in kinds and token.start[0] not in docstrings and mention.search(token.string)
    ]


def programs():
    """What justifies a helper: lessons with their solutions, the runner, benchmarks, the app."""
    for path in PATHS:
        lesson = lessons.read(path)
        solutions = [ast.parse(text) for text in lesson.solutions.values() if text]
        yield [lessons.tree(cell) for cell in lesson.code] + solutions
    files = [path for name in ("tools", "benchmarks") for path in (ROOT / name).glob("*.py")]
    for path in files:
        yield [ast.parse(path.read_text("utf-8"))]
    for name, text in MODULES.items():  # what another module uses is public for its sake
        if name not in ("datasets", "widgets"):
            yield [ast.parse(text)]


def test_every_public_name_is_used():
    assert unused(MODULES, programs()) == []


def test_imports_go_one_way():
    assert wrong_way(MODULES) == []


@pytest.mark.parametrize("module", MODULES)
def test_no_private_name_crosses_modules(module):
    assert private(MODULES[module]) == []


@pytest.mark.parametrize("module", MODULES)
def test_no_module_names_a_lesson(module):
    assert named_lessons(MODULES[module]) == []


# ---- these checks must be able to fail

AUDIO = """
RATE = 16_000
_CACHE = {}
def load(path): ...
def _read(path): ...
class AudioError(ValueError): ...
class Clip: ...
def main(): ...
"""


def program(text):
    return [ast.parse(text)]


def test_public_names():
    assert public_names(AUDIO) == {"RATE", "load", "Clip"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("from helpers import audio\naudio.load(audio.RATE)\naudio.Clip()", []),
        ("from helpers.audio import RATE, load, Clip", []),
        ("import helpers.audio as a\na.load(a.RATE, a.Clip)", []),
        ("import helpers.audio\nhelpers.audio.load(1)", ["audio.Clip", "audio.RATE"]),
        ("from helpers import audio", ["audio.Clip", "audio.RATE", "audio.load"]),
        ("audio.load(audio.RATE, audio.Clip)", ["audio.Clip", "audio.RATE", "audio.load"]),
        ("from other import audio\naudio.load(1)", ["audio.Clip", "audio.RATE", "audio.load"]),
        ("from helpers import audio, plots\nplots.load(audio.RATE)", ["audio.Clip", "audio.load"]),
    ],
)
def test_unused_names_are_found(text, left):
    assert unused({"audio": AUDIO}, [program(text)]) == left


def test_a_lessons_cells_are_one_program_and_two_lessons_are_not():
    cells = program("from helpers import audio") + program("audio.load(audio.RATE, audio.Clip)")
    assert unused({"audio": AUDIO}, [cells]) == []
    assert unused({"audio": AUDIO}, [cells[:1], cells[1:]]) != []


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("from helpers import audio", []),
        ("from . import audio", []),
        ("from .audio import load", []),
        ("from helpers import plots", ["features imports plots"]),
        ("from .plots import spectrum", ["features imports plots"]),
        ("def f():\n    import helpers.plots", ["features imports plots"]),
        ("from helpers import features", ["features imports features"]),
    ],
)
def test_imports_the_wrong_way_are_found(text, say):
    assert wrong_way({"features": text}) == say


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from helpers import audio\naudio.load(1)", []),
        ("from helpers import audio\naudio._read(1)", ["audio._read"]),
        ("from helpers.audio import _read", ["audio._read"]),
        ("from helpers.datasets import folders\nfolders._hidden", ["datasets.folders._hidden"]),
        ("self._read(1)", []),
    ],
)
def test_private_names_of_others_are_found(text, found):
    assert private(text) == found


def test_a_module_without_a_place_and_one_that_should_stand_alone_are_found():
    assert wrong_way({"novelty": ""}) == ["novelty has no place in ORDER"]
    assert wrong_way({"colab": "from helpers import audio"}) == ["colab imports audio"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""Taught in notebooks/01_waveforms.ipynb."""', 0),
        ('def f():\n    """Taught in\n    notebooks/01_waveforms.ipynb.\n    """', 0),
        ('x = "notebooks/01_waveforms.ipynb"', 1),
        ('raise ValueError(f"see 01_waveforms {1}")', 1),
        ("x = 1  # as 01_waveforms.ipynb says", 1),
        ('check("01.1", 16_000)', 0),
    ],
)
def test_lessons_named_in_code_are_found(text, found):
    assert len(named_lessons(text)) == found
