"""What is solved is kept in one file, and all of it gives a certificate."""

import datetime
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from helpers import exercises, files
from helpers.exercises import __main__ as command
from helpers.exercises import record

KEEP = record.keep  # conftest puts one in its place that notes nothing


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A learner's folder of runs, in which solved exercises are noted."""
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(record, "keep", KEEP)
    return tmp_path / "runs"


@pytest.fixture
def all_solved(runs):
    days = dict.fromkeys(exercises._exercises(), "2026-01-31")
    files.write_json(runs / "progress.json", days | {"01.2": "2026-02-03", "77.7": "2027-01-01"})
    return runs


def test_a_right_answer_is_noted_once_and_a_wrong_one_not(runs, capsys):
    exercises.check("01.2", 2_000)
    exercises.check("01.2", ...)
    assert not runs.exists() and record.solved() == {}
    exercises.check("01.2", 6_000)
    assert record.solved() == {"01.2": datetime.date.today().isoformat()}
    files.write_json(runs / "progress.json", {"01.2": "2026-01-31"})
    exercises.check("01.2", 6_000)
    assert record.solved() == {"01.2": "2026-01-31"}
    assert {path.name for path in runs.iterdir()} <= {"progress.json", ".progress.lock"}
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 4 + 2  # the verdicts, and how many are solved after a right one
    of_lesson = sum(number.startswith("01.") for number in exercises._exercises())
    assert said[3] == said[5] == f"1 of {of_lesson} solved in this lesson."


def test_progress_counts_by_lesson(runs, capsys):
    exercises.check("01.2", 6_000)
    capsys.readouterr()
    assert exercises.progress() is None
    said = capsys.readouterr().out.splitlines()
    numbers = list(exercises._exercises())
    assert said[-1] == f"1 of {len(numbers)} exercises solved."
    assert len(said) == 1 + len({number[:2] for number in numbers})
    first = sum(number.startswith("01.") for number in numbers)
    assert re.fullmatch(rf"01 · Waveforms +·✓·+ +1 of {first}", said[1])
    assert re.fullmatch(r"00 · Start here +·+ +0 of \d", said[0])


def test_every_lesson_has_a_title():
    assert set(exercises._titles()) == {number[:2] for number in exercises._exercises()}


@pytest.mark.parametrize("broken", ["{", "[1]", '{"01.1": 3}', '{"01.1": "soon"}', "\x00", "3"])
def test_a_broken_file_is_one_sentence_and_started_anew(runs, capsys, broken):
    runs.mkdir()
    (runs / "progress.json").write_text(broken)
    exercises.check("01.2", 6_000)
    verdict, sentence, _ = capsys.readouterr().out.splitlines()
    assert "✓ Right." in verdict and sentence.endswith("it is started anew.")
    assert list(record.solved()) == ["01.2"]
    assert capsys.readouterr().out == ""


def test_a_folder_that_cannot_be_written_changes_no_verdict(runs, capsys):
    runs.write_text("a file in the folder's place")
    exercises.check("01.2", 6_000)
    said = capsys.readouterr().out.splitlines()
    assert "✓ Right." in said[0] and said[-1].startswith("(Not noted as solved")


def test_no_certificate_before_all_is_solved(all_solved, capsys):
    days = record.solved()
    files.write_json(all_solved / "progress.json", {k: v for k, v in days.items() if k != "02.1"})
    assert exercises.progress("Ada") is None
    assert not (all_solved / "certificate.svg").exists()


def test_all_solved_asks_for_a_name(all_solved, capsys):
    assert exercises.progress() is None and exercises.progress("  ") is None
    assert "exercises.progress(" in capsys.readouterr().out
    assert not (all_solved / "certificate.svg").exists()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("<b onload=\"x\">& 'Co'</b>", "<b onload=\"x\">& 'Co'</b>"),
        ("Søren\n\x0b Kierkegaard", "Søren Kierkegaard"),
        ("小林 一茶", "小林 一茶"),
        ("W" * 80, "W" * 80),
    ],
)
def test_the_certificate_holds_the_name_as_text_and_the_last_day(all_solved, name, shown):
    assert exercises.progress(name).data.startswith("<svg")
    drawing = ET.parse(all_solved / "certificate.svg").getroot()
    texts = [text.text for text in drawing.findall("{*}text")]
    assert shown in texts and "3 February 2026" in texts
    assert f"all {len(exercises._exercises())} exercises" in " ".join(texts)
    kinds = {element.tag.split("}")[1] for element in drawing.iter()}
    assert kinds == {"svg", "rect", "polyline", "text"}
    assert shown in drawing.get("aria-label")


def test_a_name_that_is_too_long_is_refused(all_solved):
    with pytest.raises(ValueError, match="1 to 80 characters"):
        exercises.progress("W" * 81)


def test_the_command_takes_a_name(all_solved, capsys):
    command.main(["Ada", "Lovelace"])
    assert capsys.readouterr().out.endswith("Your certificate is in runs/certificate.svg\n")
    assert "Ada Lovelace" in (all_solved / "certificate.svg").read_text("utf-8")


def test_other_tests_leave_no_trace(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    exercises.check("01.2", 6_000)
    assert not (tmp_path / "runs").exists()


NOTE = """
import sys
from helpers.exercises import record
sys.stdin.readline()
record.keep(sys.argv[1])
"""


def test_what_is_solved_at_once_in_many_notebooks_is_all_kept(runs):
    numbers = [f"05.{k}" for k in range(8)]
    command = [sys.executable, "-c", NOTE]
    pipes = {"stdin": subprocess.PIPE, "text": True, "cwd": files.ROOT}
    notebooks = [subprocess.Popen([*command, number], **pipes) for number in numbers]
    for one in notebooks:
        one.stdin.write("now\n")
        one.stdin.flush()
    assert [one.wait() for one in notebooks] == [0] * 8
    assert sorted(record.solved()) == numbers
