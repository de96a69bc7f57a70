"""Colab gets what its lessons lack, and keeps its own TensorFlow."""

import re
import subprocess
from pathlib import Path

import pytest
from lessons import ROOT

from helpers import colab

TEXT = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def names(requirements):
    return [re.match(r"[\w.-]+", requirement)[0] for requirement in requirements]


def test_only_what_is_missing_is_wanted():
    text = "librosa>=0.11,<2  # features\nsoxr>=0.5,<2  # resampling\n\n# a comment\n-e .\n"
    assert colab.missing(text, ["librosa"]) == ["soxr>=0.5,<2"]
    assert colab.missing(text, ["librosa", "soxr"]) == []


@pytest.mark.parametrize("spelling", ["scikit-learn", "scikit_learn", "Scikit.Learn"])
def test_spelling_of_a_name_does_not_matter(spelling):
    assert colab.missing("scikit-learn>=1.6,<2\n", [spelling]) == []


def test_on_an_empty_machine_the_lessons_imports_are_wanted_and_no_tools():
    wanted = names(colab.missing(TEXT, []))
    assert {"librosa", "soundfile", "soxr", "matplotlib", "ipywidgets"} <= set(wanted)
    unwanted = {"tensorflow", "keras", "numpy", "jupyterlab", "nbval", "pytest", "pytest-xdist"}
    unwanted |= {"ruff", "papermill", "nbconvert", "jupytext", "ipykernel"}
    assert unwanted.isdisjoint(wanted)


def test_the_heading_that_ends_the_lessons_part_stands_once():
    assert TEXT.count(f"\n{colab.END}") == 1


def test_every_requirement_has_bounds_and_a_reason():
    lines = [line for line in TEXT.splitlines() if line and not line.startswith(("#", "-e"))]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[\w.-]+>=[\d.]+,<[\d.]+ +# \S.*", line), line
    assert TEXT.rstrip().splitlines()[-1] == "-e ."


def test_the_script_changes_nothing_where_all_is_installed(monkeypatch, capsys):
    monkeypatch.setattr(colab, "missing", lambda *_: [])
    monkeypatch.setattr(colab.subprocess, "run", lambda *_, **__: pytest.fail("ran pip"))
    colab.main()
    assert capsys.readouterr().out == ""


def test_the_script_installs_under_constraints(monkeypatch, capsys):
    ran = []

    def run(command, **_):
        text = Path(command[command.index("--constraint") + 1]).read_text(encoding="utf-8")
        ran.append((command[-1], text))
        return subprocess.CompletedProcess(command, returncode=int("gradio" in command[-1]))

    monkeypatch.setattr(colab, "missing", lambda *_: ["soxr>=0.5,<2", "gradio>=6,<7"])
    monkeypatch.setattr(colab.subprocess, "run", run)
    colab.main()
    assert [requirement for requirement, _ in ran] == ["soxr>=0.5,<2", "gradio>=6,<7"]
    for _, constraints in ran:
        for name in ("numpy", "tensorflow", "pandas"):
            assert re.search(rf"^{name}==[\d.]+$", constraints, re.MULTILINE)
    said = capsys.readouterr().out
    assert "Added for this course: soxr>=0.5,<2\n" in said
    assert "Not added, for it would change what is installed: gradio>=6,<7\n" in said
