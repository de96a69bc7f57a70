"""Colab, rehearsed: an environment like Colab's opens a lesson and knows nothing of the course.

Under Python 3.13 only. What happened is written to runs/colab.log, to be read.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import lessons
import nbformat.v4 as nbf
import papermill
import pytest
import run_all
from lessons import ROOT, URL
from nbformat import write

from helpers import colab

pytestmark = [
    pytest.mark.colab,
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 13), reason="Colab is rehearsed under Python 3.13"
    ),
]

# What Colab brings of that which the lessons import. It holds on to old versions of some.
BROUGHT = [
    "tensorflow>=2.20,<2.22",
    "pandas<3",
    "ipywidgets<8",
    "scikit-learn",
    "librosa",
    "matplotlib",
    "seaborn",
    "tqdm",
    "gradio",
    "ipykernel",
]
LACKED = {"ai-edge-litert"}
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
LOG = Path(os.environ.get("COURSE_RUNS") or ROOT / "runs") / "colab.log"
VERSIONS = """
import importlib.metadata as m, json
print(json.dumps({d.name: d.version for d in m.distributions()}))"""
PROBE = (
    "import helpers; from helpers.quiet import tf; print('probe', tf.__version__, helpers.__file__)"
)


@dataclass
class Machine:
    """One of Colab's, as far as a lesson can tell: its Python, its folder, its kernel."""

    folder: Path
    before: dict = field(default_factory=dict)

    def __post_init__(self):
        for name in ("content", "ipython", "kernels"):
            (self.folder / name).mkdir()
        self.content = self.folder / "content"
        self.python = str(self.folder / "env" / "bin" / "python")
        command([sys.executable, "-m", "venv", self.folder / "env"])
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command([*pip, *BROUGHT])
        self.before = self.versions()
        # The course's address leads to what a commit of everything here would hold.
        source = snapshot(self.folder / "course")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "PYTHONPATH"))}
        self.changes = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{source.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": URL,
            "PYTHONPATH": "",
            "PYTHONNOUSERSITE": "1",
            "DATASET": "synthetic",
            "COURSE_RUNS": "",
            "IPYTHONDIR": str(self.folder / "ipython"),
        }
        self.env |= self.changes

    def versions(self):
        """{package: version} of all that is installed."""
        said = json.loads(command([self.python, "-c", VERSIONS]))
        return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in said.items()}

    def become_colab(self):
        """Have the stand-in of google.colab imported before a lesson's first cell, as in Colab."""
        code = "import sysconfig; print(sysconfig.get_path('purelib'))"
        package = Path(command([self.python, "-c", code]).strip()) / "google" / "colab"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        start = self.folder / "ipython" / "profile_default" / "startup"
        start.mkdir(parents=True)
        (start / "00.py").write_text("import google.colab\n", encoding="utf-8")
        spec = {
            "argv": [self.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",
            "language": "python",
            "env": self.changes,
        }
        kernel = self.folder / "kernels" / "colab"
        kernel.mkdir()
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")

    def here(self, cell):
        """A setup cell whose /content is this machine's."""
        assert cell.source.count('"/content/') == 3
        return cell.source.replace('"/content/', f'"{self.content.as_posix()}/')

    def run(self, lesson):
        """Execute a lesson; the output of its setup cell, its headline, what the probe says."""
        (setup,) = lesson.tagged("setup")
        setup.source = self.here(setup)
        lesson.cells.append(nbf.new_code_cell(PROBE))
        source = self.folder / f"{lesson.stem}.ipynb"
        write(lesson.notebook, source)
        with mock.patch.dict(os.environ, {"JUPYTER_PATH": str(self.folder)}):
            del os.environ["PYTEST_CURRENT_TEST"]  # with it, ipykernel loses what programs print
            executed = papermill.execute_notebook(
                source,
                self.folder / "out.ipynb",
                kernel_name="colab",
                cwd=self.content,
                progress_bar=False,
                start_timeout=180,
            )
        said = [
            "".join(o.get("text", "") for o in c.outputs)
            for c in executed.cells
            if c.cell_type == "code"
        ]
        return said[0], run_all.find_headline(executed), said[-1]


def command(arguments, **options):
    """What a command says; if it fails, that is the error."""
    done = subprocess.run(
        [str(a) for a in arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        **options,
    )
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}{done.stderr}"
    return done.stdout


def snapshot(folder):
    """A repository of one commit with all that is tracked here, or would be."""
    for name in lessons.committed():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    git = ["git", "-C", folder, "-c", "user.name=course", "-c", "user.email=course@example.org"]
    command([*git, "init", "--quiet"])
    command([*git, "add", "--all", "--force"])
    command([*git, "-c", "commit.gpgsign=false", "commit", "--quiet", "--message", "The course"])
    return folder


def log(text):
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("a", encoding="utf-8") as file:
        print(text, file=file)
    print(text)


@pytest.fixture(scope="module")
def machine():
    with contextlib.suppress(FileNotFoundError):
        LOG.unlink()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        machine = Machine(Path(folder).resolve())
        python = command([machine.python, "-V"]).strip()
        log(f"A fresh environment with what Colab brings: {python}, {len(machine.before)} packages")
        kept = ("tensorflow", "keras", "numpy", "pandas", "ipywidgets", "librosa")
        log("  of these " + ", ".join(f"{name} {machine.before[name]}" for name in kept))
        yield machine


def test_elsewhere_the_setup_cell_does_nothing(machine):
    (setup,) = lessons.read(lessons.PATHS[0]).tagged("setup")
    code = machine.here(setup) + (
        "\nimport importlib.util\n"
        f"print(importlib.util.find_spec('helpers'), '{machine.content}/course' in sys.path)"
    )
    said = command([machine.python, "-c", code], cwd=machine.content, env=machine.env)
    assert said == "None False\n"
    assert list(machine.content.iterdir()) == []
    assert machine.versions() == machine.before
    log("Without google.colab: the setup cell fetches nothing and installs nothing")


# The first on a new machine; the second as after a restart, with the course fetched already.
@pytest.mark.parametrize("stem", ["01_waveforms", "00_start_here"])
def test_a_lesson_in_colab(machine, stem):
    first = not (machine.content / "course").exists()
    if first:
        machine.become_colab()
    before = machine.versions()
    lesson = lessons.read(ROOT / "notebooks" / f"{stem}.ipynb")
    cells = len(lesson.code)
    said, headline, probe = machine.run(lesson)
    after = machine.versions()

    log(f"{stem}, {'in an empty folder' if first else 'with the course there already'}")
    for line in run_all.ANSI.sub("", said).splitlines():
        if "WARNING" not in line:  # what pip says of this machine's package indexes
            log(f"  the setup cell says: {line}".replace(str(machine.content), "/content"))
    added = {name: after[name] for name in sorted(after.keys() - before.keys())}
    log("  new: " + (", ".join(" ".join(item) for item in added.items()) or "nothing"))
    log(f"  TensorFlow before {before['tensorflow']}, after {after['tensorflow']}")
    log(f"  ran {cells} cells; {headline['name']}: {headline['text']}")

    assert {name: after.get(name) for name in before} == before, "a package of Colab's was changed"
    missing = colab.missing(REQUIREMENTS, before)
    assert {re.match(r"[\w.-]+", requirement)[0] for requirement in missing} <= set(added)
    assert bool(missing) == bool(added) == first
    assert (f"Added for this course: {', '.join(missing)}" in said) == first
    unwanted = {"jupyterlab", "papermill", "pytest", "ruff", "nbval"} - before.keys()
    assert unwanted.isdisjoint(after)
    tf_version, helpers = probe.split(maxsplit=2)[1:]
    assert tf_version == machine.before["tensorflow"]
    assert Path(helpers.strip()) == machine.content / "course" / "helpers" / "__init__.py"


def test_the_stand_in_lacks_what_colab_lacks(machine):
    """Or the rehearsal would install nothing, and show nothing."""
    missing = colab.missing(REQUIREMENTS, machine.before)
    assert {re.match(r"[\w.-]+", requirement)[0] for requirement in missing} >= LACKED
