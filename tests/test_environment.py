"""Where little is given: no home, no UTF-8, blanks and umlauts in the path, data that cannot be
written, a user without an entry in the system's list, a clock that jumps.
"""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from helpers.datasets import synthetic
from helpers.files import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="there, no locale and no permission is like these"),
]
BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
# Tests may be run by root, who has a home and whom no permission stops: so Python itself, as it
# starts, forgets the user's entry and refuses to write below data/.
START = """
import errno, os, pwd, sys

def nobody(*_):
    raise KeyError("no such user")

def refuse(event, given):
    writes = event in ("os.mkdir", "os.rename", "os.remove") or (
        event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR)
    )
    if writes and not isinstance(given[0], int):
        path = os.path.abspath(os.fsdecode(given[0]))
        if path.startswith(os.path.join(os.getcwd(), "data")):
            raise PermissionError(errno.EACCES, "Permission denied", path)

pwd.getpwuid = nobody
sys.addaudithook(refuse)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The package and its model in "Kurs für Hunde", whose data/ may not be written to."""
    place = tmp_path_factory.mktemp("environment") / "Kurs für Hunde"
    shutil.copytree(ROOT / "helpers", place / "helpers", ignore=shutil.ignore_patterns("__pyc*"))
    shutil.copytree(ROOT / "data" / "pretrained", place / "data" / "pretrained")
    synthetic.make_dataset(place / "data" / "kleine Töne", 0, 20)
    (place / "start").mkdir()
    (place / "start" / "sitecustomize.py").write_text(START)
    return place


def called(course, *arguments):
    """Python with these arguments, in the course's folder."""
    places = {"COURSE_RUNS": str(course / "Läufe"), "PYTHONPATH": str(course / "start")}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=course,
        env={"PATH": os.environ["PATH"]} | places | BARE,
        capture_output=True,
        text=True,
        errors="backslashreplace",
    )


def test_it_is_as_bare_as_is_said(course):
    code = "import pathlib, sys\nprint(sys.getfilesystemencoding())\npathlib.Path.home()"
    done = called(course, "-c", code)
    assert done.stdout == "ascii\n" and "RuntimeError: Could not determine home" in done.stderr
    done = called(course, "-c", "open('data/x', 'w')")
    assert "PermissionError" in done.stderr and not (course / "data" / "x").exists()


def test_the_command_answers(course):
    clip = next((course / "data" / "kleine Töne").rglob("*.wav")).relative_to(course)
    done = called(course, "-m", "helpers.predict", clip)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.match(r"data/kleine T\S+/.+\.wav  (cat|dog|neither|unsure)", done.stdout)


CLOCK = """
import itertools, time
true, jumps = time.time, itertools.cycle([0, 4e8, -4e8, 3600])
time.time = lambda: true() + next(jumps)
"""
LIBRARY = """
import matplotlib
matplotlib.use("Agg")
from helpers import audio, cache, datasets, files, plots
(folder,) = files.ROOT.glob("data/kleine*")  # in this locale no program can write its letters
clips = datasets.load(str(folder), quiet=True)
kept, _ = datasets.validate(clips)
for again in range(2):  # the second takes the place of the first
    files.write_json(files.runs() / "for all.json", [len(clips), len(kept)])
wave, rate = audio.load(clips.path.iloc[0])
plots.waveform(wave)
matplotlib.pyplot.savefig(files.runs() / "picture.png")
print(cache.key(lambda: 1, datasets.fingerprint(clips)))
try:
    datasets.load("synthetic", quiet=True)
except OSError as error:
    print(ascii(str(error)))
"""


def test_the_library_works_and_says_what_it_may_not_write(course):
    said = []
    for before in ("", CLOCK):
        done = called(course, "-c", before + LIBRARY)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
        written = (course / "Läufe" / "for all.json").read_text("utf-8")
        assert json.loads(written) == [20, 20]
        left = sorted(path.name for path in (course / "Läufe").iterdir())
        assert left == ["for all.json", "picture.png"]
    assert said[0] == said[1], "the clock counts"
    key, refused = said[0]
    assert re.fullmatch("[0-9a-f]{8}", key)
    assert re.search(r"synthetic cannot be written: .*data may not be written to", refused)
    assert not (course / "data" / "synthetic").exists()
