"""TEACHING.md tells today's hours, its exam's numbers are right, and students get no solutions."""

import math
import re

import lesson_table
import lessons
import nbformat
import nbformat.v4 as nbf
import numpy as np
import pytest
import student
from lessons import PATHS, ROOT

from helpers import evaluation

HOURS = r"<!-- hours .*?-->[\d.]+ h<!-- end -->"
PAGE = (ROOT / "TEACHING.md").read_text("utf-8")


def markdown(*texts):
    return [nbf.new_markdown_cell(text) for text in texts]


TOY = nbf.new_notebook(
    cells=[
        *markdown("# 01 · Toy\n\n**Time:** about 2 minutes to read, 30 s to run"),
        nbf.new_code_cell("a = 1\nb = 2\nc = 3", metadata={"tags": ["setup"]}),
        *markdown(
            "One [two](https://example.org/three) $$x$$ <b>three</b>. **Predict first:** four"
        ),
        nbf.new_code_cell("a = 1\n\nb = 2"),
        nbf.new_code_cell("x = 1", metadata={"tags": ["exercise"]}),
        *markdown(
            "<details><summary>Hint</summary>\n\nfive\n\n</details>\n\n"
            "<details><summary>Solution</summary>\n\nx y\n```python\nx = 2\n```\n\n</details>"
        ),
        *markdown("## Quiz\n\n**1.** Is it?\n\n**2.** Or not?"),
        *markdown("```python\nz = 3\n```"),
    ]
)


def test_a_lesson_is_counted():
    found = lesson_table.count(TOY, "01")
    assert (found.title, found.cells, found.lines) == ("Toy", 8, 3)
    assert (found.median, found.longest) == (1.5, 2)
    assert (found.exercises, found.questions, found.predictions) == (1, 2, 1)
    assert found.run == 0.5
    seen = (
        "01 Toy Time about 2 minutes to read 30 s to run One two three Predict first four Hint five"
    )
    assert found.words == len(seen.split())
    assert found.reading_all == found.words / 200 + 3 / 20 + 1 + 0.5
    assert found.minutes == found.reading_all + 10 + 2 * 2


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_lesson_stays_short(path):
    found = lesson_table.count(nbformat.read(path, as_version=4), path.stem[:2])
    assert found.cells <= 90
    assert found.reading_all <= 40  # minutes


def test_a_link_makes_no_word():
    plain = "A frame's length, Allen (1977)."
    linked = "A [frame](glossary.md#frame)'s length, [Allen (1977](references.md#allen-1977))."
    assert len(lesson_table.words(linked)) == len(lesson_table.words(plain)) == 5


def test_the_page_holds_todays_table_and_hours():
    todays = lesson_table.renewed(PAGE, lesson_table.of_course(ROOT))
    assert todays == PAGE, "out of step: run `make glossary`"
    assert all(f"| {path.stem[:2]} · " in PAGE for path in PATHS)
    assert len(re.findall(HOURS, PAGE)) == 13


def test_the_readme_holds_todays_hours():
    readme = (ROOT / "README.md").read_text("utf-8")
    todays = lesson_table.renewed(readme, lesson_table.of_course(ROOT))
    assert todays == readme, "out of step: run `make glossary`"
    assert len(re.findall(HOURS, readme)) == 2


def test_a_table_that_is_out_of_step_is_found_and_mended():
    counts = lesson_table.of_course(ROOT)
    assert lesson_table.renewed(PAGE.replace(" h<!--", "9 h<!--"), counts) == PAGE
    assert lesson_table.renewed(PAGE.replace("| all |", "| none |"), counts) == PAGE
    with pytest.raises(ValueError, match="no lesson 77"):
        lesson_table.renewed("<!-- hours all 00 77 --><!-- end -->", counts)


def test_hours_are_rounded_up_to_halves():
    one = lesson_table.count(TOY, "01")
    said = lesson_table.renewed("<!-- hours all 01 -->?<!-- end -->", [one] * 4)
    hours = float(re.search(r"-->([\d.]+) h<", said)[1])
    assert 4 * one.minutes / 60 <= hours < 4 * one.minutes / 60 + 0.5


def answer(number):
    return re.search(rf"^\*\*{number}\.\*\*.*?</details>", PAGE, re.DOTALL | re.MULTILINE)[0]


def softmax(first, second):
    return 1 / (1 + math.exp(second - first))


def accuracies():
    """True accuracies, in percent, that fit question 5: 59 of 98 clips are called cat."""
    return [100 * (cats + 49 - (59 - cats)) / 98 for cats in range(50) if 0 <= 59 - cats <= 49]


def mcnemar(first, second):
    right = np.arange(first + second) < first
    return evaluation.mcnemar(right, ~right)[2]


EXAM = [
    (1, [f"{abs(7_000 - 10_000):,} Hz"]),
    (2, [f"{20 * math.log10(0.05 / 0.5):.0f} dB".replace("-", "−")]),
    (3, [f"{16_000 / 1_024:.3f} Hz", f"{2 * 16_000 / 1_024:.2f} Hz", f"{2 * 16_000 // 25:,} samp"]),
    (5, [f"{min(accuracies()):.0f} % and {max(accuracies()):.0f} %", f"{100 * 59 / 98:.0f} %"]),
    (6, [f"{(9 * 16 + 1) * 32:,}"]),
    (7, [f"{100 * softmax(2, 0):.1f} %", f"{-math.log(1 - softmax(2, 0)):.2f}"]),
    (8, [f"Accuracy {81 + 4} %, balanced {50 * (81 / 90 + 4 / 10):.0f} %"]),
    (9, [f"p = {mcnemar(7, 3):.2f}", f"p = {mcnemar(4, 0):.3f}"]),
    (12, [f"{100 * softmax(3, 1):.1f} % before, {100 * softmax(1.5, 0.5):.1f} % afterwards"]),
    (13, [f"p = {1 - 1 / 5}"]),
]  # fmt: skip


@pytest.mark.parametrize(("number", "said"), EXAM)
def test_the_exams_numbers_are_right(number, said):
    assert [one for one in said if one not in answer(number)] == []


def test_every_question_has_an_answer():
    numbers = re.findall(r"^\*\*(\d+)\.\*\*", PAGE, re.MULTILINE)
    assert numbers == [str(n) for n in range(1, 1 + len(numbers))] and len(numbers) >= 10
    assert all("<summary>Answer</summary>" in answer(number) for number in numbers)


def test_the_page_leads_somewhere():
    headings = {lessons_anchor(line) for line in re.findall(r"^## (.*)", PAGE, re.MULTILINE)}
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in headings
        else:
            assert (ROOT / target).exists(), target


def lessons_anchor(heading):
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


# ---- the course without solutions


@pytest.fixture(scope="module")
def handed_out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "student"
    assert student.write(ROOT, folder) >= len(PATHS)
    return folder


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_lesson_is_handed_out_whole_but_for_its_solutions(path, handed_out):
    before, after = (lessons.read(p) for p in (path, handed_out / "notebooks" / path.name))
    text = "\n".join(cell.source for cell in after.cells)
    for solution in before.solutions.values():
        assert solution.strip() not in text
    assert not re.search(r"<summary>[^<]*solution", text, re.IGNORECASE)
    for kind in (
        "summary>Hint",
        "summary>What came out",
        "### Exercise",
        "## Quiz",
        "exercises.check",
    ):
        count = sum(c.source.count(kind) for c in before.cells)
        hidden = sum(s.count(kind) for s in before.solutions.values())
        assert text.count(kind) == count - hidden, kind
    exercises = after.tagged("exercise")
    assert len(exercises) == len(before.tagged("exercise")) > 0
    assert all(not c.outputs and c.execution_count is None and "..." in c.source for c in exercises)
    others = [
        (c.source, c.get("outputs")) for c in before.code if c not in before.tagged("exercise")
    ]
    assert others == [(c.source, c.get("outputs")) for c in after.code if c not in exercises]
    nbformat.validate(after.notebook)


def test_what_knows_the_answers_stays_at_home(handed_out):
    names = {path.relative_to(handed_out).as_posix() for path in handed_out.rglob("*")}
    assert {"Makefile", "helpers/audio.py", "notebooks/glossary.md", "requirements.lock"} <= names
    assert not [n for n in names if n.startswith(("tests", "TEACHING", ".git")) or "pycache" in n]
    text = (handed_out / "README.md").read_text("utf-8")
    missing = [
        t for t in re.findall(r"\]\((?!https?:|#)([^)#]+)", text) if t.rstrip("/") not in names
    ]
    assert not missing
    assert "[glossary](notebooks/glossary.md)" in text
    assert all(f"notebooks/{path.name}" in text for path in PATHS)


def test_nothing_leads_to_the_edition_with_solutions(handed_out):
    notebooks = (handed_out / "notebooks").glob("*.ipynb")
    cells = [c for path in notebooks for c in nbformat.read(path, 4).cells]
    text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
    text += (handed_out / "README.md").read_text("utf-8")
    assert "colab.research.google.com" not in text and "git clone" not in text


HINT = "<details><summary>Hint</summary>\n\nThink of the solution.\n\n</details>"
SOLUTION = "<details><summary>Solution</summary>\n\n```python\nx\n```\n\n</details>"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (SOLUTION, None),
        ("<details open>\n<summary>A solution</summary>x</details>\nBut look.", "But look."),
        (HINT, HINT),
        (f"{HINT}\n\n{SOLUTION}", f"{HINT}\n\n"),
        (f"{SOLUTION}\n{HINT}\n{SOLUTION}", f"{HINT}\n"),
    ],
)
def test_only_solutions_are_taken_out(text, left):
    notebook = nbf.new_notebook(cells=markdown(text))
    student.without_solutions(notebook)
    assert [cell.source for cell in notebook.cells] == ([] if left is None else [left])


def test_handing_out_again_replaces_the_folder(tmp_path, capsys):
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "old.txt").write_text("old")
    assert student.main(["--output", str(tmp_path / "student")]) == 0
    assert "solutions" in capsys.readouterr().out
    assert not (tmp_path / "student" / "old.txt").exists()
    assert (tmp_path / "student" / "Makefile").exists()
