"""Killed at any moment, the next call ends with what an undisturbed one ends with.

A few moments each; more of them, and which: KILLS=20 pytest -n 0 -s tests/test_killed.py
"""

import hashlib
import os
import random
import re
import shutil
import signal
import sys
import time
from types import SimpleNamespace

import nbformat
import nbformat.v4 as nbf
import pandas as pd
import psutil
import pytest
import run_all
import sweep
import test_downloads
from test_run_all import PARAMETERS, toy

from helpers import datasets, evaluation, files, training
from helpers.datasets import downloads, synthetic
from helpers.files import ROOT
from helpers.headline import MIME

sys.path.insert(0, str(ROOT / "benchmarks"))
import out_of_fold
import sources_left_out

host = test_downloads.host  # its fixture
KILLS = int(os.environ.get("KILLS", "3"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]


def begun(job):
    """The process id of a child that does a job and nothing else."""
    child = os.fork()
    if child == 0:
        try:
            job()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return child


def ended(child):
    """The signal that ended a child, 0 if it came to its own end."""
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the job failed by itself"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def content(folder):
    """{name: digest} of all below a folder, what is hidden too."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def but_for_a_lock(found):
    """A content without the locks of single files.

    A kill between a file's last two steps leaves its lock, which holds nothing; the file is whole
    then, so no later call writes it and tidies up.
    """
    return {k: v for k, v in found.items() if not re.search(r"-[0-9a-f]{8}\.\w+\.lock$", k)}


def killed_again_and_again(job, tmp_path, seed, from_there="", kills=KILLS):
    """What is there after each kill and a next call; and after an undisturbed one.

    Args:
        job: does its work in the folder that it is given.
        from_there: a pattern of files below that folder: no kill falls before one is there.
        kills: how many.
    """

    def reached(child, folder):
        def there():
            return any(folder.glob(from_there)) if from_there else folder.exists()

        while not there() and psutil.Process(child).status() != "zombie":
            time.sleep(0.002)
        return time.monotonic()

    child = begun(lambda: job(tmp_path / "undisturbed"))
    start = reached(child, tmp_path / "undisturbed")
    assert ended(child) == 0
    seconds, moments, found = time.monotonic() - start, random.Random(seed), []
    for number in range(kills):
        folder, wait = tmp_path / f"{number}", seconds * moments.random()
        while True:
            child = begun(lambda folder=folder: job(folder))
            reached(child, folder)
            time.sleep(wait)
            os.kill(child, signal.SIGKILL)
            if ended(child) == signal.SIGKILL and (not from_there or any(folder.glob(from_there))):
                break
            shutil.rmtree(folder)  # it was done before: earlier, then
            wait /= 2
        assert ended(begun(lambda folder=folder: job(folder))) == 0
        found.append(content(folder))
        whole = hashlib.sha256(repr(found[-1]).encode()).hexdigest()[:8]
        print(f"kill {number}: after {wait:.3f} s of {seconds:.3f}; then {whole}")
    return found, content(tmp_path / "undisturbed")


def test_synthesis(tmp_path):
    found, undisturbed = killed_again_and_again(
        lambda folder: synthetic.make_dataset(folder / "clips", 1, 20), tmp_path, 0
    )
    assert len(undisturbed) == 23 and found == [undisturbed] * KILLS


def test_two_syntheses_at_once_one_of_them_killed(tmp_path):
    def job():
        synthetic.make_dataset(tmp_path / "a" / "clips", 1, 20)

    one, other = begun(job), begun(job)
    time.sleep(random.Random(1).random())
    os.kill(one, signal.SIGKILL)
    ended(one)
    assert ended(other) == 0
    job()
    synthetic.make_dataset(tmp_path / "b" / "clips", 1, 20)
    # the other one may have been done before the killed one's rest could be seen
    there = {k: v for k, v in content(tmp_path / "a").items() if not k.startswith(".")}
    assert there == content(tmp_path / "b")
    assert (tmp_path / "a" / "clips" / "about.json").is_file()


class Network:
    """Stands for a keras.Model that takes its time to be saved."""

    def save(self, path):
        with open(path, "w") as file:
            for number in range(200):
                file.write(f"{number}\n")
                file.flush()
                time.sleep(0.001)


def test_caching(tmp_path, monkeypatch):
    def load(path):
        if path.read_text().splitlines() != [str(number) for number in range(200)]:
            raise ValueError("half a model was kept")
        return Network()

    def train():
        return Network(), pd.DataFrame({"loss": [1.0]}, index=pd.Index([1], name="epoch"))

    monkeypatch.setattr(training.keras.models, "load_model", load)
    monkeypatch.setattr(training.cache, "key", lambda *_: "01234567")
    monkeypatch.setattr(training.datasets, "fingerprint", lambda clips: "")

    def job(folder):
        monkeypatch.setenv("COURSE_RUNS", str(folder))
        training.load_or_train("network", None, train)

    found, undisturbed = killed_again_and_again(job, tmp_path, 2)
    assert len(undisturbed) == 2 and found == [undisturbed] * KILLS


def test_a_download_of_an_archive(host, tmp_path):
    wavs = {f"{k}.wav": random.Random(k).randbytes(20_000) for k in range(100)}
    host.body = test_downloads._zip(wavs)
    asked = test_downloads._download(host, sha256=None)
    found, undisturbed = killed_again_and_again(
        lambda folder: downloads.fetch(asked, folder / "clips"), tmp_path, 3
    )
    assert len(undisturbed) == 100 and found == [undisturbed] * KILLS


def test_a_download_of_many_files(host, tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "_GITHUB", f"http://127.0.0.1:{host.server_port}")
    host.body = random.Random(0).randbytes(200_000)
    row = {"repository": "a", "commit": "b", "sha256": hashlib.sha256(host.body).hexdigest()}
    rows = pd.DataFrame([row | {"file": f"{k}.wav", "path": f"{k}.wav"} for k in range(50)])

    def job(folder):
        assert downloads.fetch_files(rows, folder) == []

    found, undisturbed = killed_again_and_again(job, tmp_path, 4)
    assert len(undisturbed) == 50
    assert [but_for_a_lock(one) for one in found] == [undisturbed] * KILLS


TRAINING = """
import sys
from dataclasses import replace
import numpy as np
from helpers import datasets, files, recipes, resume
resume._LONG = 1  # else so short a one is begun anew
clips = datasets.load("synthetic", quiet=True).groupby("label").head(6)
recipe = replace(recipes.BEST, epochs=40, steps=2, batch_size=8, width=4)
begin = resume.Resume.__init__
def told(self, *given):
    begin(self, *given)
    with open(BEGAN, "a") as file:
        print(self.epoch, file=file)
resume.Resume.__init__ = told
model = recipes.train(clips, recipe, 0)
with files.atomic(files.runs() / "weights.npy") as part:
    np.save(part, np.concatenate([one.ravel() for one in model.get_weights()]))
with files.atomic(files.runs() / "loss.npy") as part:
    np.save(part, model.history.history["loss"])
"""


def test_a_training(tmp_path):
    """Each in a Python of its own: a fork of one that holds TensorFlow may hang."""

    def job(folder):
        here = os.environ | {"COURSE_RUNS": str(folder), "PYTHONPATH": str(ROOT)}
        code = f"BEGAN = {str(tmp_path / f'{folder.name}.txt')!r}\n{TRAINING}"
        os.execve(sys.executable, [sys.executable, "-c", code], here)

    # from its first epoch's file on; what is killed before has nothing to take up again
    kills = max(1, KILLS // 3)  # two starts of TensorFlow each
    found, undisturbed = killed_again_and_again(job, tmp_path, 5, "unfinished/[!.]*.npz", kills)
    assert set(undisturbed) == {"weights.npy", "loss.npy"} and found == [undisturbed] * kills
    assert (tmp_path / "undisturbed.txt").read_text().split() == ["0"]
    for number in range(kills):  # the last two calls: the killed one, and the one that goes on
        first, second = map(int, (tmp_path / f"{number}.txt").read_text().split()[-2:])
        assert first == 0 < second


def test_a_benchmark(tmp_path, monkeypatch):
    """Folds of whole sources, each kept in its table; the learner is a stand-in."""
    n = 48
    clips = pd.DataFrame(
        {
            "label": ["cat", "dog", "other"] * (n // 3),
            "source": [f"source {k // 6}" for k in range(n)],
            "group": range(n),
            "licence": "CC0",
        },
        index=[f"clip {k}" for k in range(n)],
    )
    monkeypatch.setattr(datasets, "fingerprint", lambda clips: "".join(clips.index))
    # seconds differ from run to run, and are no part of what is compared
    monkeypatch.setattr(out_of_fold.time, "perf_counter", lambda: 0.0)
    monkeypatch.setattr(out_of_fold.time, "process_time", lambda: 0.0)

    def learn(rest, held):
        time.sleep(0.05)
        return evaluation.table(pd.get_dummies(held.label).to_numpy(float), held)

    def job(folder):
        out_of_fold.KEPT = folder
        table = sources_left_out.predictions("this", clips, learn, 1)
        assert table.correct.all() and table.index.equals(clips.index)
        files.write_json(folder / "result.json", table.p_cat.tolist())

    found, undisturbed = killed_again_and_again(job, tmp_path, 6)
    assert len(undisturbed) == 2 * sources_left_out.FOLDS + 1
    assert [but_for_a_lock(one) for one in found] == [undisturbed] * KILLS


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A lesson whose runs take a moment and write what a kernel would."""
    (tmp_path / "lessons").mkdir()
    toy(tmp_path / "lessons", "04_toy", parameters=PARAMETERS + "\nLEARNING_RATE = 0.5  # above 0")

    def execute(lesson, values, folder, step):
        (folder / lesson.name).write_text("half", encoding="utf-8")
        time.sleep(0.02)
        found = {"name": "score", "value": values["SEED"], "text": f"score {values['SEED']}"}
        output = nbf.new_output("display_data", {MIME: found})
        cell = nbf.new_code_cell(outputs=[output], id="a")
        nbformat.write(nbf.new_notebook(cells=[cell]), folder / lesson.name)
        return {"lesson": lesson.stem, "seconds": 1.0, "parameters": values, "headline": found,
                "notebook": lesson.name, "error": None}  # fmt: skip

    monkeypatch.setattr(run_all, "execute", execute)
    monkeypatch.setattr(run_all, "check_recordings", lambda source: None)
    monkeypatch.setenv("DATASET", "synthetic")
    return SimpleNamespace(lessons=tmp_path / "lessons", runs=tmp_path / "runs")


def test_the_sweep(course, monkeypatch):
    def job(folder):
        arguments = ["04", "-p", "SEED", "0,1,2,3,4,5", "-j", "1"]
        place = ["--notebooks", str(course.lessons), "--output", str(folder)]
        assert sweep.main([*arguments, *place]) == 0

    found, undisturbed = killed_again_and_again(job, course.runs, 4)
    lasting = [name for name in undisturbed if not name.endswith((".log", ".png"))]
    assert len(lasting) >= 13
    for one in map(but_for_a_lock, found):
        assert set(one) == set(undisturbed)
        assert {name: one[name] for name in lasting} == {n: undisturbed[n] for n in lasting}


def test_a_run_of_lessons(course):
    toy(course.lessons, "05_toy")
    toy(course.lessons, "06_toy")

    def job(folder):
        place = ["--notebooks", str(course.lessons), "--output", str(folder)]
        assert run_all.main(["-p", "SEED", "1", "-j", "1", *place]) == 0

    found, undisturbed = killed_again_and_again(job, course.runs, 7)
    lessons = {"04_toy.ipynb", "05_toy.ipynb", "06_toy.ipynb"}
    assert {*lessons, "summary.json"} <= set(undisturbed)
    lasting = {name for name in undisturbed if name != "run.log"}
    for one in map(but_for_a_lock, found):
        assert set(one) == set(undisturbed)
        assert {name: one[name] for name in lasting} == {n: undisturbed[n] for n in lasting}


KERNEL = """
import os, pathlib, time
pathlib.Path("pid.part").write_text(str(os.getpid()))
os.replace("pid.part", "pid")
time.sleep(600)
"""


def test_a_killed_run_leaves_no_kernel_at_work(tmp_path):
    (tmp_path / "lessons").mkdir()
    toy(tmp_path / "lessons", "04_toy", KERNEL)

    def job():
        run = [sys.executable, str(ROOT / "tools" / "run_all.py")]
        place = ["--notebooks", str(tmp_path / "lessons"), "--output", str(tmp_path / "runs")]
        os.execve(run[0], [*run, *place], os.environ | {"PYTHONPATH": str(ROOT)})

    child, pid = begun(job), tmp_path / "lessons" / "pid"
    while not pid.exists():
        assert psutil.Process(child).status() != "zombie", "the run ended by itself"
        time.sleep(0.05)
    kernel = psutil.Process(int(pid.read_text()))
    os.kill(child, signal.SIGKILL)
    assert ended(child) == signal.SIGKILL
    psutil.wait_procs([kernel], timeout=60)
    assert not kernel.is_running()
