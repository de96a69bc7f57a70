"""Every lesson runs: as committed, with other parameters, and not with impossible ones."""

import os
import re
import subprocess
import sys

import lessons
import nbformat
import papermill
import pytest
import run_all
from IPython.core.interactiveshell import InteractiveShell
from lessons import PATHS, ROOT
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

pytestmark = pytest.mark.notebook
each_lesson = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)

# Another value for each parameter that a lesson may declare: still quick, still good enough.
CHANGED = {"SEED": 1, "EPOCHS": 2, "BATCH_SIZE": 24, "LADDER_EPOCHS": 1}
IMPOSSIBLE = {"SEED": -1, "EPOCHS": 0, "BATCH_SIZE": "many", "DATASET": "no such place"}


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Kernels of this Python that write what they train to a folder of their own."""
    for name in ("JUPYTER_PATH", "IPYTHONDIR", "PYDEVD_DISABLE_FILE_VALIDATION", "MPLBACKEND"):
        monkeypatch.delenv(name, raising=False)  # to be put back as they were
    monkeypatch.setenv("DATASET", "synthetic")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    run_all.use_this_python(tmp_path / "jupyter")
    return tmp_path


def execute(notebook, folder, parameters):
    """Run a notebook from another working directory than its own."""
    source, elsewhere = folder / "in.ipynb", folder / "else where"
    elsewhere.mkdir()
    nbformat.write(notebook, source)
    return papermill.execute_notebook(
        source,
        folder / "out.ipynb",
        parameters,
        kernel_name="python3",
        cwd=elsewhere,
        progress_bar=False,
        start_timeout=180,
    )


def compare(path, folder):
    """nbval on one notebook: (exit status, its report, number of cells compared)."""
    command = [
        *(sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--color=no"),
        *("-p", "no:cacheprovider", "-p", "no:xdist", "--override-ini=addopts="),
        *("--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg")),
        *("--nbval-kernel-startup-timeout", "180", f"--rootdir={path.parent}", path.name),
    ]
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    env |= {"COURSE_RUNS": str(folder / "runs"), "IPYTHONDIR": str(folder / "ipython")}
    done = subprocess.run(
        command,
        cwd=path.parent,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    compared = sum(
        cell.execution_count is not None
        and bool(cell.outputs)
        and "nbval-ignore-output" not in cell.metadata.get("tags", [])
        for cell in cells
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    whole = passed is not None and int(passed[1]) == len(cells)
    return done.returncode or int(not whole), done.stdout + done.stderr, compared


@each_lesson
def test_outputs_are_as_committed(path, kernel):
    status, report, compared = compare(path, kernel)
    if status:
        pytest.fail(f"nbval on {path.name}:\n{report}", pytrace=False)
    assert compared > 0, f"{path.name} has no output to compare"


@each_lesson
def test_other_parameters_and_solutions(path, kernel):
    """The lesson, its exercises solved, with other parameters and from another folder."""
    lesson = lessons.read(path)
    given = {name: CHANGED[name] for name in lesson.parameters if name in CHANGED}
    assert "SEED" in given
    solved = {}
    for at, solution in lesson.solutions.items():
        lesson.cells[at].source = solution
        solved[lesson.cells[at]["id"]] = solution
    executed = execute(lesson.notebook, kernel, given)
    said = {
        cell["id"]: "".join(output.get("text", "") for output in cell.outputs)
        for cell in executed.cells
        if cell.get("id") in solved
    }
    assert len(said) == len(solved) > 0
    wrong = {solved[i]: text for i, text in said.items() if "✓ Right." not in text}
    assert wrong == {}
    assert run_all.find_headline(executed)


# ---- refusals, by one shell for all lessons: a kernel each would import TensorFlow 18 times


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """IPython within this process, in a folder that is not the lesson's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    InteractiveShell.clear_instance()
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


def refusal(path, shell, parameters):
    """The error with which the first cells, to the check, answer papermill's parameters."""
    given = parameterize_notebook(load_notebook_node(str(path)), parameters)
    for cell in given.cells:
        if cell.cell_type == "code":
            error = shell.run_cell(cell.source, store_history=True).error_in_exec
            if "parameters.check(" in cell.source:
                return error
            assert error is None, f"before the check: {error}"
    raise AssertionError("no cell calls parameters.check")


@each_lesson
def test_a_misspelt_parameter_is_refused(path, shell):
    lesson = lessons.read(path)
    error = refusal(path, shell, {"SEEED": 1})
    assert isinstance(error, ValueError) and "SEEED" in str(error)
    assert all(name in str(error) for name in lesson.parameters)


@each_lesson
def test_an_impossible_value_is_refused(path, shell):
    lesson = lessons.read(path)
    name = next(name for name in IMPOSSIBLE if name in lesson.parameters)
    error = refusal(path, shell, {name: IMPOSSIBLE[name]})
    assert isinstance(error, ValueError) and name in str(error)


@each_lesson
def test_possible_values_are_not_refused(path, shell):
    assert refusal(path, shell, {"SEED": 1}) is None


def test_papermill_ends_with_the_refusal(kernel):
    """Once for real: a kernel of its own, the parameter injected, the error handed on."""
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        execute(lessons.read(PATHS[0]).notebook, kernel, {"SEEED": 1})
    assert caught.value.ename == "ValueError" and "SEEED" in str(caught.value.evalue)


# ---- the comparison itself must be able to fail


@pytest.mark.parametrize(
    ("source", "committed", "count", "status", "compared"),
    [
        ("print(1)", "1\n", 1, 0, 1),
        ("print(1)", "2\n", 1, 1, 1),
        ("print(1)", None, 1, 1, 0),
        ("print(1)", None, None, 0, 0),
        ("1 / 0", "1\n", 1, 1, 1),
        (
            "print('0x7f001234abcd', 'data:audio/wav;base64,AAAA')",
            "0x7fffffffffff data:audio/wav;base64,BBBB\n",
            1,
            0,
            1,
        ),
    ],
    ids=["same", "other", "unexpected", "never run", "error", "sanitised"],
)
def test_comparison(kernel, source, committed, count, status, compared):
    cell = nbformat.v4.new_code_cell(source, execution_count=count)
    if committed:
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=committed)]
    path = kernel / "00_toy.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    got_status, report, got_compared = compare(path, kernel)
    assert (bool(got_status), got_compared) == (bool(status), compared), report
