"""The runner that `make run` calls, on toy lessons that need none of the helpers."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import nbformat.v4 as nbf
import numpy as np
import psutil
import pytest
import run_all
import soundfile
from lessons import ROOT
from nbformat import read, write

pytestmark = pytest.mark.slow

DISPLAY = """
from IPython.display import display
data = {"application/vnd.barks-meows.headline+json":
        {"name": "seed", "value": SEED, "text": f"{SEED} of {DATASET}"}}
display(data | {"text/plain": "seed"}, raw=True)
"""
PARAMETERS = 'DATASET = "auto"  # a name\nSEED = 0  # a whole number'


def toy(folder, name, *sources, parameters=PARAMETERS, kernel="python3"):
    cells = [nbf.new_markdown_cell("# Toy\n\n[Next](02_bad.ipynb)")]
    cells.append(nbf.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    cells += [nbf.new_code_cell(source) for source in sources]
    spec = {"name": kernel, "display_name": "Python 3", "language": "python"}
    write(nbf.new_notebook(cells=cells, metadata={"kernelspec": spec}), folder / f"{name}.ipynb")


@pytest.fixture
def course(tmp_path):
    """Three lessons, of which the second fails."""
    folder = tmp_path / "the lessons"
    folder.mkdir()
    noise = "import os\nos.write(2, b'NOISE\\n')\nprint('words')"
    toy(folder, "01_good", noise, DISPLAY)
    toy(folder, "02_bad", "x = 1", "raise ValueError('no such\\nclip')", "print('never')")
    toy(
        folder,
        "03_more",
        "import os\nDATASET = os.environ['DATASET']",
        DISPLAY,
        "EPOCHS",
        parameters=PARAMETERS + "\nEPOCHS = 3  # passes",
        kernel="gone",
    )
    return folder


def call(course, *arguments, **env):
    """run_all.py as a program: (status, stdout, stderr, summary or None)."""
    output = course.parent / "runs"
    command = [sys.executable, str(ROOT / "tools" / "run_all.py"), *arguments]
    command += ["--notebooks", str(course), "--output", str(output)]
    env = {key: os.environ[key] for key in os.environ if key != "DATASET"} | env
    done = subprocess.run(
        command,
        cwd=course.parent,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )
    summary = output / "summary.json"
    facts = json.loads(summary.read_text("utf-8")) if summary.is_file() else None
    return done.returncode, done.stdout, done.stderr, facts


def test_a_failing_lesson_is_told_and_the_others_run(course):
    status, out, err, facts = call(course)
    assert status == 1
    good, bad, more = facts["lessons"]
    assert good["headline"]["text"] == "0 of auto" and good["error"] is None
    assert more["headline"]["text"] == "0 of synthetic"
    assert bad["error"].splitlines()[0] == "cell [3] failed:" and "clip" in bad["error"]
    assert "02_bad: cell [3] failed:\n    ValueError: no such\n" in err
    assert "NOISE" not in err + out and "Traceback" not in err
    assert re.search(r"^01_good +[\d.]+  seed: 0 of auto$", out, re.MULTILINE)
    assert re.search(r"^02_bad +[\d.]+  FAILED: clip$", out, re.MULTILINE)
    assert "1 of 3 lessons failed" in out
    output = course.parent / "runs"
    cells = read(output / "02_bad.ipynb", as_version=4).cells
    assert any("ValueError" in str(cell.get("outputs")) for cell in cells)
    html = (output / "01_good.html").read_text("utf-8")
    assert 'href="02_bad.html"' in html and "words" in html
    assert not list(output.glob("*.part"))


MEET = """
import pathlib, time
pathlib.Path({mine!r}).touch()
for _ in range(600):
    if pathlib.Path({other!r}).exists():
        break
    time.sleep(0.1)
else:
    raise ValueError("alone")
"""


def test_lessons_run_side_by_side_each_in_its_own_folder(course):
    for name, other in (("01_good", "02_bad"), ("02_bad", "01_good")):
        toy(course, name, MEET.format(mine=f"{name}.met", other=f"{other}.met"))
    status, _, err, facts = call(course, "01", "02", "-j", "2")
    assert status == 0, err
    assert [lesson["lesson"] for lesson in facts["lessons"]] == ["01_good", "02_bad"]
    assert {path.name for path in course.glob("*.met")} == {"01_good.met", "02_bad.met"}


def test_one_after_the_other_and_the_bar_moves_with_every_cell(course):
    toy(course, "01_good", "import time\ntime.sleep(2)", "open('first', 'w').close()")
    toy(course, "02_bad", "open('first').close()", "1", "2")
    status, _, err, _ = call(course, "01", "02", "-j", "1", "-p", "SEED", "1")
    assert status == 0, err
    assert {int(n) for n in re.findall(r"\b(\d+)/7\b", err)} == set(range(8))
    assert "01_good:" in err and "02_bad:" in err


def test_a_dying_kernel_ends_its_own_lesson_only(course):
    toy(course, "02_bad", "import os\nos._exit(1)")
    status, _, err, facts = call(course, "-j", "3")
    good, bad, more = facts["lessons"]
    assert (status, good["error"], more["error"]) == (1, None, None)
    assert "DeadKernelError" in bad["error"] and "DeadKernelError" in err


@pytest.mark.skipif(os.name == "nt", reason="no process can be sent a Ctrl-C there")
def test_ctrl_c_ends_the_kernels_and_keeps_what_is_finished(course):
    wait = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    toy(course, "02_bad", wait)
    output = course.parent / "runs"
    command = [sys.executable, str(ROOT / "tools" / "run_all.py"), "01", "02", "-j", "1"]
    command += ["--notebooks", str(course), "--output", str(output)]
    program = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", start_new_session=True,
        # what a shell starts in the background ignores Ctrl-C, and so would what it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    while not (course / "pid").exists() or not (course / "pid").read_text():
        assert program.poll() is None, program.communicate()
        time.sleep(0.1)
    program.send_signal(signal.SIGINT)
    _, err = program.communicate()
    assert program.returncode == 130
    assert "Interrupted." in err and "Traceback" not in err
    assert not psutil.pid_exists(int((course / "pid").read_text()))
    facts = json.loads((output / "summary.json").read_text("utf-8"))
    assert [lesson["lesson"] for lesson in facts["lessons"]] == ["01_good"]


def test_a_second_run_into_the_same_folder_is_refused(course):
    output = course.parent / "runs"
    output.mkdir()
    with run_all.alone(output):
        status, _, err, facts = call(course, "01")
    assert status == 2 and facts is None
    assert f"process {os.getpid()}, begun at" in err and "another folder by --output" in err
    assert "Traceback" not in err
    assert call(course, "01")[0] == 0
    assert not (output / ".run").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(course):
    (course.parent / "runs").write_text("a file")
    status, _, err, _ = call(course, "01")
    assert status == 2 and "run_all.py: " in err and "Traceback" not in err


def test_what_is_asked_of_recordings_is_their_fingerprint(tmp_path):
    for k, label in enumerate(("cat", "dog", "cat", "dog")):
        (tmp_path / label).mkdir(exist_ok=True)
        wave = np.random.default_rng(k).normal(0, 0.1, 8_000)
        soundfile.write(tmp_path / label / f"{k}.wav", wave, 8_000)
    before = run_all.check_recordings(str(tmp_path))
    assert before == run_all.check_recordings(str(tmp_path))
    soundfile.write(tmp_path / "cat" / "0.wav", 0.5 * wave, 8_000)
    assert run_all.check_recordings(str(tmp_path)) != before


def test_as_many_as_there_are_cores_and_memory(monkeypatch):
    memory = SimpleNamespace(available=5 * run_all.MEMORY)
    monkeypatch.setattr(run_all.psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert run_all.room() == 5
    memory.available = 100 * run_all.MEMORY
    assert run_all.room() == 8
    memory.available = 0
    assert run_all.room() == 1


def test_chosen_lessons_get_the_parameters_that_they_declare(course):
    for number in range(8):
        clip = course.parent / "my clips" / ("bird", "rain")[number % 2] / f"{number}.wav"
        clip.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 8000)
        soundfile.write(clip, noise, 16_000)
    file = course.parent / "values.yaml"
    file.write_text("SEED: 5\nEPOCHS: 7\n", encoding="utf-8")
    arguments = ["1", "03_more", "--parameters", str(file), "-p", "SEED", "6"]
    status, out, err, facts = call(course, *arguments, DATASET="my clips")
    assert status == 0, err
    assert [(lesson["lesson"], lesson["parameters"]) for lesson in facts["lessons"]] == [
        ("01_good", {"SEED": 6}),
        ("03_more", {"SEED": 6, "EPOCHS": 7}),
    ]
    assert "seed: 6 of auto" in out
    assert f"seed: 6 of {(course.parent / 'my clips').resolve()}" in out


@pytest.mark.parametrize(
    ("arguments", "say"),
    [
        (["-p", "SEEED", "1"], "unknown parameter SEEED: these lessons have DATASET, EPOCHS, SEED"),
        (["01", "-p", "EPOCHS", "1"], "unknown parameter EPOCHS: these lessons have DATASET, SEED"),
        (["09"], "no lesson '09': there are 01_good, 02_bad, 03_more"),
        (["-p", "SEED", "-1"], "SEED must be a whole number from 0 to 2,147,483,647, not -1"),
        (["--dataset", "no/such"], "'no/such' is no folder"),
        (["--parameters", "none.yaml"], "cannot read the parameters in none.yaml"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(course, capsys, arguments, say):
    output = course.parent / "runs"
    status = run_all.main([*arguments, "--notebooks", str(course), "--output", str(output)])
    assert status == 2
    assert say in capsys.readouterr().err
    assert not output.exists()


def test_none_at_a_time_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        run_all.main(["-j", "0"])
    assert "-j: must be a whole number from 1 on, not 0" in capsys.readouterr().err


def test_a_relative_folder_of_recordings_is_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my clips").mkdir()
    (tmp_path / "kaggle").mkdir()
    assert run_all.absolute("my clips") == str((tmp_path / "my clips").resolve())
    assert run_all.absolute("notebooks") == str(ROOT / "notebooks")
    assert run_all.absolute("kaggle") == "kaggle"
    assert run_all.absolute("nowhere") == "nowhere"
    assert run_all.absolute("kaggle+my clips") == f"kaggle+{(tmp_path / 'my clips').resolve()}"


def test_values_are_read_as_python_values():
    pairs = [("A", "1"), ("B", "1e-3"), ("C", "-2"), ("D", "True"), ("E", "kaggle"), ("F", "a b")]
    values = run_all.read_parameters(None, pairs)
    assert values == {"A": 1, "B": 0.001, "C": -2, "D": True, "E": "kaggle", "F": "a b"}


def test_a_user_s_own_kernel_named_python3_is_not_taken(course, tmp_path):
    home = tmp_path / "home"
    kernel = home / "share" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["no-such-program"], "display_name": "Mine", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    others = {
        "JUPYTER_DATA_DIR": str(home / "share"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "MPLBACKEND": "Agg",
    }
    others["JUPYTER_PATH"] = str(home / "share")
    status, _, err, _ = call(course, "01", **others)
    assert status == 0, err
