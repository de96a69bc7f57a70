"""Every committed lesson keeps the rules of CONTRIBUTING.md, and every rule can fail."""

import ast
import copy
import json
import re

import lessons
import nbformat.v4 as nbf
import pytest
from lessons import PATHS, ROOT, URL, Lesson

MAX_BYTES = 1_500_000
MAX_LINES = 15
HEADLINE = "application/vnd.barks-meows.headline+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
SETUP = f'''\
# @title Setup: in Colab this fetches the course; elsewhere its installation has done that.
import subprocess
import sys

COURSE = "{URL}"
if "google.colab" in sys.modules and "helpers" not in sys.modules:
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", COURSE, "/content/course"], check=False)
    sys.path.insert(0, "/content/course")
    subprocess.run([sys.executable, "/content/course/helpers/colab.py"], check=True)'''  # noqa: E501
# Not preceded by a letter, so that addresses such as https://site/home/ pass.
MACHINE_PATH = re.compile(r"(?<![\w.~)}])/(?:home|work|root|tmp|Users)/|[A-Za-z]:\\+Users\\")

RULES = {}


def rule(function):
    """A rule takes a lesson and returns its complaints, none if all is well."""
    RULES[function.__name__] = function
    return function


def badge(stem):
    clip_index = URL.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{clip_index}/blob/main/notebooks/{stem}.ipynb"


def outputs(lesson):
    return [(i, output) for i, cell in enumerate(lesson.code) for output in cell.outputs]


def texts_of(output):
    """What an output says in words, without pictures and sounds."""
    parts = [output.get("text", "")]
    for mime, data in output.get("data", {}).items():
        if not mime.startswith(("image/", "audio/")):
            parts.append(data if isinstance(data, str) else json.dumps(data))
    return re.sub(r"data:[\w/.+-]+;base64,[A-Za-z0-9+/=]+", "", "\n".join(parts))


@rule
def executed_in_order(lesson):
    counts = [cell.execution_count for cell in lesson.code]
    expected = list(range(1, len(counts) + 1))
    return [] if counts == expected else [f"execution counts are {counts}"]


@rule
def no_error_and_no_stderr(lesson):
    return [
        f"In [{i + 1}] holds {output.get('name', 'an error')}"
        for i, output in outputs(lesson)
        if output.output_type == "error" or output.get("name") == "stderr"
    ]


@rule
def no_machine_path(lesson):
    said = [cell.source for cell in lesson.cells]
    said += [json.dumps(cell.metadata) for cell in lesson.cells]
    said += [texts_of(output) for _, output in outputs(lesson)]
    said.append(json.dumps(lesson.notebook.metadata))
    found = [match[0] for text in said for match in MACHINE_PATH.finditer(text)]
    return [f"a path of one machine: {path}" for path in found]


@rule
def not_too_big(lesson):
    return [] if lesson.size < MAX_BYTES else [f"{lesson.size:,} bytes, limit {MAX_BYTES:,}"]


@rule
def no_widget_state(lesson):
    """The stills say it all; the state of every control would be stored beside them."""
    return ["metadata holds the widgets' state"] if "widgets" in lesson.notebook.metadata else []


@rule
def setup_cell(lesson):
    tagged = lesson.tagged("setup")
    if len(tagged) != 1:
        return [f"{len(tagged)} cells tagged setup"]
    say = [] if tagged[0].source == SETUP else ["the setup cell differs from the agreed text"]
    first = lesson.code[0] is tagged[0]
    return say + ([] if first else ["the setup cell is not the first code cell"])


@rule
def colab_badge(lesson):
    address = re.compile(r"https://colab\.research\.google\.com/github/[^\s)\"']+")
    addresses = address.findall(lesson.cells[0].source)
    return [] if addresses == [badge(lesson.stem)] else [f"badges in the title cell: {addresses}"]


@rule
def navigation(lesson):
    last = lesson.cells[-1]
    if last.cell_type != "markdown":
        return ["the last cell is not text, so there is no navigation in it"]
    at, say = lesson.stems.index(lesson.stem), []
    neighbours = {
        "Previous": lesson.stems[at - 1] if at else None,
        "Next": lesson.stems[at + 1] if at + 1 < len(lesson.stems) else None,
    }
    for word, stem in neighbours.items():
        link = re.search(rf"\*\*{word}:\*\* \[(\d\d) · [^\]]+\]\(([^)]+)\)", last.source)
        if stem is None:
            say += [f"{word} leads nowhere"] if link else []
        elif not link or (link[1], link[2]) != (stem[:2], f"{stem}.ipynb"):
            say.append(f"{word} does not lead to {stem}.ipynb")
    return say


@rule
def links_exist(lesson):
    texts = "\n".join(cell.source for cell in lesson.texts)
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", texts)
    folder = ROOT / "notebooks"
    known = {f"{stem}.ipynb" for stem in lesson.stems}
    missing = [t for t in targets if t not in known and not (folder / t).exists()]
    return [f"a link to {target}, which does not exist" for target in missing]


@rule
def parameters_cell(lesson):
    n = len(lesson.tagged("parameters"))
    return [] if n == 1 else [f"{n} cells tagged parameters"]


@rule
def parameters_explained(lesson):
    say = []
    for cell in lesson.tagged("parameters"):
        for line in cell.source.splitlines():
            if re.match(r"\w+ = ", line) and not re.match(r"[A-Z][A-Z0-9_]* = .+  # \S+", line):
                say.append(f"upper case and a comment wanted: {line}")
    return say


@rule
def parameters_checked(lesson):
    if lesson.check_cell is None:
        return ["no call of parameters.check"]
    source = lesson.cells[lesson.check_cell].source
    call = re.search(r"parameters\.check\((.*?)\)", source, re.DOTALL)
    passed = dict(re.findall(r"(\w+)=(\w+)", call[1]))
    wanted = {name: name for name in lesson.parameters}
    return [] if passed == wanted else [f"parameters.check gets {passed}, not {wanted}"]


@rule
def parameters_used(lesson):
    used = set()
    for cell in lesson.code:
        if "parameters" in cell.metadata.get("tags", []):
            continue
        for statement in lessons.tree(cell).body:
            if "parameters.check(" not in ast.unparse(statement):
                used |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    return [f"{name} is declared but changes nothing" for name in set(lesson.parameters) - used]


@rule
def no_trailing_semicolon(lesson):
    return [
        f"In [{i + 1}] ends with a semicolon"
        for i, cell in enumerate(lesson.code)
        if cell.source.rstrip().endswith(";")
    ]


@rule
def made_on_synthetic_clips(lesson):
    said = "\n".join(texts_of(output) for _, output in outputs(lesson))
    banners = re.findall(r"^Dataset: ?(.*)$", said, re.MULTILINE)
    if not banners:
        return ["no output names the dataset"]
    return [f"made on: {b}" for b in banners if not re.match(r"synthetic\b", b)]


@rule
def few_outputs_ignored(lesson):
    with_output = [cell for cell in lesson.code if cell.outputs]
    ignored = [c for c in with_output if "nbval-ignore-output" in c.metadata.get("tags", [])]
    say = [
        f"ignored without a reason: {cell.source.splitlines()[0]}"
        for cell in lesson.tagged("nbval-ignore-output")
        if not str(cell.metadata.get("reason", "")).strip()
    ]
    if 4 * len(ignored) > len(with_output):
        say.append(f"{len(ignored)} of {len(with_output)} outputs are not compared")
    return say


@rule
def pictures_described(lesson):
    """In the cell's metadata, from where reports and the book take it; true of any data."""
    pictured = {
        lesson.code[i].id: lesson.code[i].metadata.get("alt", "")
        for i, output in outputs(lesson)
        if "image/png" in output.get("data", {})
    }
    return [
        f"{name}: no alt text of 300 characters at most, without percentages"
        for name, words in pictured.items()
        if not 20 < len(words) <= 300 or re.search(r"\d ?%", words)
    ]


@rule
def nothing_else_hidden_from_nbval(lesson):
    """Only the tag with a reason may keep a cell from being compared."""
    tags = {tag for cell in lesson.cells for tag in cell.metadata.get("tags", [])}
    hidden = {t for t in tags if t.startswith("nbval-") or t == "raises-exception"}
    say = [f"tag {tag}" for tag in sorted(hidden - {"nbval-ignore-output"})]
    comment = re.compile(r"#\s*(NBVAL|PYTEST_VALIDATE)_")
    return say + [f"comment in: {c.source}" for c in lesson.code if comment.search(c.source)]


@rule
def opens_with_title_and_aims(lesson):
    opening = "\n".join(cell.source for cell in lesson.cells[:2] if cell.cell_type == "markdown")
    say = []
    if not re.match(rf"# {lesson.stem[:2]} · \S", opening):
        say.append(f"the title does not begin `# {lesson.stem[:2]} · `")
    if not re.search(r"^\*[^*]+\?\*$", opening, re.MULTILINE):
        say.append("no question in italics")
    if not re.search(r"you will learn.*\n+(?:[-*] .+\n?)+", opening, re.IGNORECASE):
        say.append("no list of what you will learn")
    if not re.search(r"\b\d+ min", opening):
        say.append("no time in minutes")
    return say


@rule
def closes_with_recap(lesson):
    closing = lesson.texts[-4:]
    found = any(re.search(r"^#+ .*recap", c.source, re.MULTILINE | re.IGNORECASE) for c in closing)
    return [] if found else ["no recap near the end"]


@rule
def exercises_have_solutions(lesson):
    if not lesson.solutions:
        return ["no exercise"]
    say = []
    for at, solution in lesson.solutions.items():
        cell, above = lesson.cells[at], lesson.cells[at - 1].source
        title = re.search(rf"^### Exercise ({lesson.stem[:2]}\.\d+)\b", above, re.MULTILINE)
        number = title[1] if title else None
        call = rf'exercises\.check\("{re.escape(number or "?")}", .+\)$'
        if not title:
            say.append(f"no exercise title above: {cell.source.splitlines()[0]}")
        elif not re.search(call, cell.source.rstrip()):
            say.append(f"exercise {number} does not end with its check")
        elif "..." not in cell.source:
            say.append(f"exercise {number} leaves nothing to fill in")
        elif "<summary>Hint" not in above:
            say.append(f"exercise {number} has no hint below its task")
        if solution is None:
            say.append(f"exercise {number} has no solution below it")
        elif number and not re.search(call, solution.rstrip()):
            say.append(f"the solution of exercise {number} does not end with the check")
    return say


@rule
def ends_with_headline(lesson):
    last = lesson.code[-1]
    found = [output for output in last.outputs if HEADLINE in output.get("data", {})]
    return [] if "headline.show(" in last.source and found else ["no headline in the last cell"]


@rule
def short_cells(lesson):
    return [
        f"In [{i + 1}] has {len(cell.source.splitlines())} lines, limit {MAX_LINES}"
        for i, cell in enumerate(lesson.code)
        if len(cell.source.splitlines()) > MAX_LINES
        and "lesson-code" not in cell.metadata.get("tags", [])
    ]


@rule
def short_lines(lesson):
    """As ruff's limit, which cannot spare the setup cell alone."""
    lines = [line for c in lesson.code if c.source != SETUP for line in c.source.splitlines()]
    return [f"over 100 characters: {line}" for line in lines if len(line) > 100]


@rule
def readable_without_widgets(lesson):
    """A picture stands with a widget or in the code cell beside it."""
    say, pictures = (
        [],
        [
            any(m.startswith("image/") for output in cell.outputs for m in output.get("data", {}))
            for cell in lesson.code
        ],
    )
    for i, cell in enumerate(lesson.code):
        widget = any(WIDGET in output.get("data", {}) for output in cell.outputs)
        if widget and not any(pictures[max(i - 1, 0) : i + 2]):
            say.append(f"In [{i + 1}] shows a widget and no picture stands beside it")
    return say


@rule
def plain_kernel(lesson):
    spec = lesson.notebook.metadata.get("kernelspec", {})
    named = (spec.get("name"), spec.get("display_name"))
    # as ipykernel calls it: JupyterLab would write that into a lesson that is only opened
    say = [] if named == ("python3", "Python 3 (ipykernel)") else [f"the kernel is {named}"]
    ids = [cell.get("id") for cell in lesson.cells]
    return say + ([] if all(ids) and len(set(ids)) == len(ids) else ["cell ids missing or double"])


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_lesson(path, name):
    assert RULES[name](lessons.read(path)) == []


def test_there_are_lessons():
    assert PATHS
    assert [stem[:2] for stem in lessons.STEMS] == [f"{i:02}" for i in range(len(PATHS))]


# ---- each rule must be able to fail: a good toy lesson, and one break for each rule


def code(source, *tags, outputs=(), **metadata):
    metadata = {"tags": list(tags), **metadata} if tags else metadata
    return nbf.new_code_cell(source, metadata=metadata, outputs=list(outputs))


def stream(text, name="stdout"):
    return nbf.new_output("stream", name=name, text=text)


def show(**data):
    return nbf.new_output("display_data", data=data)


BLANK = 'answer = ...\nexercises.check("01.1", answer)'
SOLVED = "<details><summary>Solution</summary>\n\n```python\nanswer = 1\n" + (
    'exercises.check("01.1", answer)\n```\n\n</details>'
)


@pytest.fixture
def good():
    """A lesson without fault, by the positions that BREAKS names."""
    headline = {HEADLINE: {"name": "clips", "value": 2, "text": "2"}, "text/plain": "clips: 2"}
    picture = {"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}
    cells = [
        nbf.new_markdown_cell(
            "# 01 · Toy\n\n*What is a toy?*\n\n"
            f"[![Open in Colab](https://example.org/badge.svg)]({badge('01_toy')})\n\n"
            "**What you will learn**\n\n- to play\n\nTime: 5 minutes."
        ),
        code(SETUP, "setup"),
        code('DATASET = "auto"  # "auto" or a folder\nSEED = 0  # any whole number', "parameters"),
        code("from helpers import parameters\n\nparameters.check(DATASET=DATASET, SEED=SEED)"),
        code("clips = load(DATASET, SEED)", outputs=[stream("Dataset: synthetic, 2 clips\n")]),
        code("plot(clips)", outputs=[show(**picture)], alt="Line plot: loss against the epoch."),
        code("explore(clips)", outputs=[show(**{WIDGET: {}, "text/plain": "Menu"})]),
        code("time(clips)", "nbval-ignore-output", outputs=[stream("1 s")], reason="a time"),
        nbf.new_markdown_cell("### Exercise 01.1\n\nCount.\n\n<summary>Hint</summary>"),
        code(BLANK, "exercise", outputs=[stream("Not yet.")]),
        nbf.new_markdown_cell(SOLVED),
        nbf.new_markdown_cell("## Recap\n\nA toy is a toy."),
        code('headline.show("clips", 2, "2")', outputs=[show(**headline)]),
        nbf.new_markdown_cell(
            "**Previous:** [00 · Start](00_start.ipynb) · **Next:** [02 · More](02_more.ipynb)"
        ),
    ]
    spec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = nbf.new_notebook(cells=cells, metadata={"kernelspec": spec})
    lesson = Lesson("01_toy", notebook, ["00_start", "01_toy", "02_more"], size=1000)
    for i, cell in enumerate(lesson.code):
        cell.execution_count = i + 1
    return lesson


def source(at, old, new):
    """A break: replace old by new in one cell's source."""

    def change(lesson):
        assert old in lesson.cells[at].source
        lesson.cells[at].source = lesson.cells[at].source.replace(old, new)

    return change


def output(at, text, name="stdout"):
    """A break: another stream output in one cell."""
    return lambda lesson: lesson.cells[at].outputs.append(stream(text, name))


def tags(at, *names):
    return lambda lesson: lesson.cells[at].metadata.update(tags=list(names))


def delete(at):
    return lambda lesson: lesson.cells.pop(at)


HOME = "/".join(["", "home", "someone", "x.wav"])
BREAKS = [
    ("executed_in_order", lambda lesson: lesson.code[1].update(execution_count=None)),
    ("executed_in_order", lambda lesson: lesson.code[1].update(execution_count=9)),
    ("no_error_and_no_stderr", output(4, "a warning", "stderr")),
    (
        "no_error_and_no_stderr",
        lambda lesson: lesson.cells[4].outputs.append(
            nbf.new_output("error", ename="E", evalue="", traceback=[])
        ),
    ),
    ("no_machine_path", source(4, "clips", f'clips, x = "{HOME}",')),
    ("no_machine_path", output(4, f"read {HOME}")),
    ("no_machine_path", output(4, "read C:\\" + "Users\\someone")),
    ("no_machine_path", lambda lesson: lesson.notebook.metadata.update(papermill={"path": HOME})),
    ("not_too_big", lambda lesson: setattr(lesson, "size", MAX_BYTES)),
    ("no_widget_state", lambda lesson: lesson.notebook.metadata.update(widgets={})),
    ("setup_cell", source(1, URL, "https://github.com/someone/else")),
    ("setup_cell", tags(1, "other")),
    ("setup_cell", lambda lesson: lesson.cells.insert(1, code("x = 1"))),
    ("colab_badge", source(0, "01_toy.ipynb", "02_more.ipynb")),
    ("colab_badge", source(0, "https://colab", "http://colab")),
    ("navigation", source(-1, "02_more.ipynb", "03_other.ipynb")),
    ("navigation", source(-1, "**Previous:**", "Before:")),
    ("navigation", lambda lesson: setattr(lesson, "stems", ["01_toy", "02_more"])),
    ("navigation", delete(-1)),
    ("links_exist", source(-1, "02_more.ipynb", "03_other.ipynb")),
    ("links_exist", source(11, "A toy", "[A toy](../nothing.md)")),
    ("parameters_cell", tags(2, "other")),
    ("parameters_cell", tags(4, "parameters")),
    ("parameters_explained", source(2, "  # any whole number", "")),
    ("parameters_explained", source(2, "SEED", "seed")),
    ("parameters_checked", source(3, ", SEED=SEED", "")),
    ("parameters_checked", source(3, "SEED=SEED", "SEED=DATASET")),
    ("parameters_checked", source(3, "parameters.check(", "check(")),
    ("parameters_used", source(4, ", SEED", "")),
    ("no_trailing_semicolon", source(5, "plot(clips)", "plot(clips);")),
    ("made_on_synthetic_clips", output(4, "Dataset: kaggle, 277 clips\n")),
    ("made_on_synthetic_clips", lambda lesson: lesson.cells[4].outputs.clear()),
    ("few_outputs_ignored", lambda lesson: lesson.cells[7].metadata.pop("reason")),
    ("few_outputs_ignored", tags(5, "nbval-ignore-output")),
    ("pictures_described", lambda lesson: lesson.cells[5].metadata.pop("alt")),
    ("pictures_described", lambda lesson: lesson.cells[5].metadata.update(alt="83 % " * 5)),
    ("nothing_else_hidden_from_nbval", tags(5, "nbval-skip")),
    ("nothing_else_hidden_from_nbval", tags(5, "raises-exception")),
    ("nothing_else_hidden_from_nbval", source(5, "plot", "# NBVAL_IGNORE_OUTPUT\nplot")),
    ("opens_with_title_and_aims", source(0, "# 01 · Toy", "# Toy")),
    ("opens_with_title_and_aims", source(0, "*What is a toy?*", "A toy.")),
    ("opens_with_title_and_aims", source(0, "- to play", "to play")),
    ("opens_with_title_and_aims", source(0, "5 minutes", "short")),
    ("closes_with_recap", source(11, "## Recap", "## End")),
    ("exercises_have_solutions", tags(9, "other")),
    ("exercises_have_solutions", source(8, "### Exercise 01.1", "### Exercise 02.1")),
    ("exercises_have_solutions", source(9, "...", "1")),
    ("exercises_have_solutions", source(9, "01.1", "01.2")),
    ("exercises_have_solutions", source(8, "Hint", "Help")),
    ("exercises_have_solutions", source(10, "```python", "```")),
    ("exercises_have_solutions", source(10, "exercises.check", "print")),
    ("ends_with_headline", lambda lesson: lesson.cells[12].outputs.clear()),
    ("ends_with_headline", delete(12)),
    ("short_cells", source(5, "plot(clips)", "plot(clips)\n" * 16)),
    ("short_lines", source(5, "plot(clips)", f"plot(clips)  # {'long ' * 20}")),
    ("readable_without_widgets", lambda lesson: lesson.cells[5].outputs.clear()),
    ("plain_kernel", lambda lesson: lesson.notebook.metadata.kernelspec.update(name="venv")),
    ("plain_kernel", lambda lesson: lesson.cells[4].update(id=lesson.cells[5]["id"])),
]


@pytest.mark.parametrize("name", RULES)
def test_a_good_lesson_passes(good, name):
    assert RULES[name](good) == []


@pytest.mark.parametrize(("name", "change"), BREAKS, ids=[name for name, _ in BREAKS])
def test_a_broken_lesson_is_refused(good, name, change):
    broken = copy.deepcopy(good)
    change(broken)
    assert RULES[name](broken)


def test_every_rule_has_a_break():
    assert {name for name, _ in BREAKS} == set(RULES)


def test_a_long_cell_that_is_the_lesson_passes(good):
    source(5, "plot(clips)", "plot(clips)\n" * 16)(good)
    tags(5, "lesson-code")(good)
    assert short_cells(good) == []


# ---- the repository around the lessons


def unwanted(names):
    """Recordings, arrays and models, which belong in data/pretrained or nowhere."""
    kinds = re.compile(r"\.(wav|flac|ogg|mp3|aiff?|m4a|npy|npz|tfrecord|tflite|keras|h5)$", re.I)
    return [n for n in names if kinds.search(n) and not n.startswith("data/pretrained/")]


def machine_paths(text):
    return MACHINE_PATH.findall(text)


def readme_gaps(text, stems):
    """What the README lacks: commands, and each lesson's row, link and badge."""
    gaps = [command for command in ("make run", "make test") if command not in text]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    for stem in stems:
        mine = [row for row in rows if f"(notebooks/{stem}.ipynb)" in row]
        if not mine:
            gaps.append(f"no row of the table links {stem}")
        elif badge(stem) not in mine[0]:
            gaps.append(f"the row of {stem} has no Colab badge")
    for stem in re.findall(r"notebooks/(\d\d_\w+)\.ipynb", text):
        if stem not in stems:
            gaps.append(f"a link to {stem}, which does not exist")
    return gaps


def test_no_recordings_or_arrays_are_tracked():
    assert unwanted(lessons.committed()) == []


def test_no_tracked_file_names_one_machines_folders():
    found = {}
    for name in lessons.committed():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a model
        if name.endswith(".ipynb"):
            continue  # test_lesson looks into those, past their pictures and sounds
        if machine_paths(text):
            found[name] = machine_paths(text)
    assert found == {}


def test_readme():
    assert readme_gaps((ROOT / "README.md").read_text(encoding="utf-8"), lessons.STEMS) == []


def test_the_repository_rules_can_fail():
    assert unwanted(["a/b.WAV", "x.npz", "data/m.tflite"]) == ["a/b.WAV", "x.npz", "data/m.tflite"]
    assert unwanted(["data/pretrained/m.tflite", "helpers/audio.py"]) == []
    assert machine_paths(f'open("{HOME}")') and machine_paths("C:\\" + "Users\\x")
    assert machine_paths("https://example.org/home/ and ./tmp/ and ~/tmp/x") == []
    row = f"| [01 · Toy](notebooks/01_toy.ipynb) | [badge]({badge('01_toy')}) |"
    good = f"make run, make test\n{row}"
    assert readme_gaps(good, ["01_toy"]) == []
    assert readme_gaps(good, ["01_toy", "02_more"])
    assert readme_gaps(good, [])
    assert readme_gaps(good.replace("make run", ""), ["01_toy"])
    assert readme_gaps(good.replace("colab", "other"), ["01_toy"])
