"""Run the lessons headless: executed notebooks, HTML reports and a summary, all in runs/.

python tools/run_all.py                        every lesson, on synthetic clips
python tools/run_all.py 01 04                  these two
python tools/run_all.py 04 -p EPOCHS 5         with another value of a parameter
python tools/run_all.py --dataset my/clips     on a folder of recordings
"""

import argparse
import ast
import contextlib
import json
import logging
import os
import platform
import re
import sys
import tempfile
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import filelock
import nbformat
import papermill
import psutil
import report
import yaml
from tqdm import tqdm

from helpers import datasets, files, parameters
from helpers.headline import MIME

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
MEMORY = 2 * 2**30  # bytes that a lesson with TensorFlow takes, generously
SOURCES = ("auto", "synthetic", "kaggle", "elsewhere", "esc50")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class UsageError(Exception):
    """What was asked for cannot be run; the message says what can."""


def main(argv=None):
    args = read_arguments(argv)
    try:
        lessons = choose(args.lessons, args.notebooks)
        given = read_parameters(args.parameters, args.p)
        declared = {lesson: declared_parameters(lesson) for lesson in lessons}
        check_names(given, declared)
        given = {name: absolute(value) for name, value in given.items()}
        os.environ["DATASET"] = absolute(args.dataset or os.environ.get("DATASET") or "synthetic")
        check_values(given)
        check_recordings(given.get("DATASET", os.environ["DATASET"]))
    except UsageError as error:
        print(f"run_all.py: {error}", file=sys.stderr)
        return 2
    output = Path(args.output or files.runs())
    output = output.expanduser().resolve()
    os.environ["COURSE_RUNS"] = str(output)  # what the lessons train lands there too
    jobs = [
        (p.stem, p, {name: given[name] for name in given if name in declared[p]}, output)
        for p in lessons
    ]
    try:
        output.mkdir(parents=True, exist_ok=True)
        with alone(output):
            return run_all(jobs, output, args.j)
    except (UsageError, OSError) as error:
        print(f"run_all.py: {error}", file=sys.stderr)
        return 2


def run_all(jobs, output, side_by_side):
    """Run the lessons and write their summary; the exit status."""
    results = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        use_this_python(folder)
        try:
            for _, result in run(jobs, output / "run.log", side_by_side):
                results.append(result)
                results.sort(key=lambda result: result["lesson"])
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130
        finally:
            write_summary(results, output)
    print(table(results, output))
    return int(any(result["error"] for result in results))


@contextlib.contextmanager
def alone(output):
    """While it lasts, no other run writes into a folder.

    Raises:
        UsageError: one does.
    """
    said = output / ".run"
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(filelock.FileLock(output / ".run.lock", blocking=False))
        except filelock.Timeout:
            other = said.read_text("utf-8") if said.is_file() else "another process"
            raise UsageError(
                f"{other} is running lessons into {output}: wait for its end, or name another "
                "folder by --output"
            ) from None
        stack.callback(said.unlink, missing_ok=True)
        said.write_text(f"process {os.getpid()}, begun at {time.strftime('%H:%M')},", "utf-8")
        yield


def read_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", metavar="LESSON", help="such as 04; default: all")
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a parameter's value, for the lessons that declare it",
    )  # fmt: skip
    parser.add_argument("--parameters", metavar="FILE.yaml", help="parameters from a file")
    parser.add_argument(
        "--dataset",
        metavar="SOURCE",
        help="auto, synthetic, kaggle, elsewhere, esc50, a folder, or several with + between",
    )
    parser.add_argument("--output", metavar="DIR", help="instead of runs/")
    add_side_by_side(parser, "lessons")
    parser.add_argument("--notebooks", metavar="DIR", type=Path, default=NOTEBOOKS,
                        help="run another folder's lessons")  # fmt: skip
    return parser.parse_args(argv)


def add_side_by_side(parser, what):
    """The option -j: how many at a time; as many as cores and free memory allow without it."""
    parser.add_argument(
        "-j", type=at_least_one, default=None, metavar="N",
        help=f"{what} side by side; default: one a core, where memory allows",
    )  # fmt: skip


def at_least_one(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text}")
    return int(text)


def choose(names, folder=NOTEBOOKS):
    """The lessons' files in reading order: all, or those that are named."""
    lessons = sorted(Path(folder).resolve().glob("[0-9][0-9]_*.ipynb"))
    if not lessons:
        raise UsageError(f"no lessons in {folder}")
    chosen = set()
    for name in names:
        stem = Path(name).stem
        found = [p for p in lessons if p.stem == stem or p.stem.startswith(f"{stem.zfill(2)}_")]
        if not found:
            raise UsageError(f"no lesson {name!r}: there are {', '.join(p.stem for p in lessons)}")
        chosen.update(found)
    return sorted(chosen) or lessons


def read_parameters(file, pairs):
    """Parameters of the YAML file, then those of the command line, which win."""
    given = {}
    if file:
        try:
            given = yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}
        except (OSError, yaml.YAMLError) as error:
            raise UsageError(f"cannot read the parameters in {file}: {error}") from None
        if not isinstance(given, dict):
            raise UsageError(f"{file} must hold lines such as `SEED: 1`")
    for name, text in pairs:
        try:
            given[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            given[name] = text
    return given


def declared_parameters(lesson):
    """Names that the lesson's parameters cell assigns."""
    for cell in nbformat.read(lesson, as_version=4).cells:
        if "parameters" in cell.metadata.get("tags", []):
            body = ast.parse(cell.source).body
            targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def check_names(given, declared):
    """papermill takes a misspelt name without a word, so it is refused here."""
    known = sorted({name for names in declared.values() for name in names})
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise UsageError(
            f"unknown parameter {', '.join(unknown)}: these lessons have {', '.join(known)}"
        )


def check_values(given):
    """Impossible values stop the run before its first lesson."""
    try:
        parameters.check(**{name: given[name] for name in given if name != "DATASET"})
    except ValueError as error:
        raise UsageError(error) from None


def check_recordings(source):
    """And so do recordings that are not there; returns the fingerprint of those that are."""
    try:
        return datasets.fingerprint(datasets.load(source))
    except (ValueError, OSError) as error:
        raise UsageError(error) from None


def absolute(value):
    """A file or folder named from here, or from the course's root, as an absolute path."""
    if isinstance(value, str) and value.strip() and value not in SOURCES:
        for base in (Path.cwd(), NOTEBOOKS.parent):
            path = base / Path(value).expanduser()
            if path.exists():
                return str(path.resolve())
        if "+" in value:  # several sources
            return "+".join(map(absolute, value.split("+")))
    return value


def use_this_python(folder):
    """Make the kernel "python3" mean the Python that runs this, whatever else is installed."""
    kernel = Path(folder) / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3 (ipykernel)", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(folder), *([others] if others else [])])
    os.environ["IPYTHONDIR"] = str(Path(folder) / "ipython")  # nobody's start-up files
    os.environ.pop("MPLBACKEND", None)  # it would leave the pictures out
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")


def room():
    """How many lessons this machine runs side by side: one a core, each with its memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, psutil.virtual_memory().available // MEMORY))


def run(jobs, log, side_by_side=None):
    """Execute jobs (label, lesson, parameters, folder); yields each with what became of it.

    They come as they end, each from a kernel of its own. What kernels write straight to the
    terminal goes to the log. An interruption ends the kernels first.
    TensorFlow keeps its number of threads: one each saves no work, and rounds sums otherwise.
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    workers = min(side_by_side or room(), len(jobs))
    stopped, others = threading.Event(), set(psutil.Process().children())
    with (
        os.fdopen(os.dup(2), "w") as screen,
        tqdm(total=sum(cells(job[1]) for job in jobs), unit="cell", file=screen,
             dynamic_ncols=True) as bar,
        stderr_to(log),
        ThreadPoolExecutor(workers) as pool,
    ):  # fmt: skip
        progress = Progress(bar)

        def work(label, lesson, values, folder):
            if stopped.is_set():
                return None
            try:
                with progress.of(label, cells(lesson)) as step:
                    return execute(lesson, values, folder, step)
            except BaseException:
                stopped.set()
                raise

        def stop():
            stopped.set()
            while wait(pending, 0.2).not_done:
                end_children(others)

        pending = {pool.submit(work, *job): job for job in jobs}
        try:
            while pending:
                # not for ever: Windows delivers Ctrl-C only between waits
                done = wait(pending, 0.5, FIRST_COMPLETED).done
                for future in sorted(done, key=lambda one: one.exception() is not None):
                    job, result = pending.pop(future), future.result()
                    if result and result["error"]:
                        progress.say(f"{job[0]}: {result['error']}\n")
                    if result:
                        yield job, result
        except KeyboardInterrupt:  # what is finished meanwhile is not lost
            stop()
            for future, job in pending.items():
                result = None if future.exception() else future.result()
                if result and not result["error"]:
                    yield job, result
            raise
        finally:
            stop()


def end_children(but):
    """Kill what this process has started, and what that has started, but for some."""
    for process in set(psutil.Process().children()) - but:
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in [process, *process.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()


def cells(lesson):
    """How many cells of a lesson are executed."""
    found = nbformat.read(lesson, as_version=4).cells
    return sum(cell.cell_type == "code" and bool(cell.source.strip()) for cell in found)


class Progress:
    """One bar for lessons that run side by side; it moves with each of their cells."""

    def __init__(self, bar):
        self.bar, self.running, self.lock = bar, [], threading.Lock()

    @contextlib.contextmanager
    def of(self, label, total):
        """While a lesson runs: a function to call after each cell. The rest counts at its end."""
        done = 0

        def step(**_):
            nonlocal done
            if done < total:  # the cell that papermill injects is not among them
                done += 1
                self.change(1)

        with self.lock:
            self.running.append(label)
        self.change(0)
        try:
            yield step
        finally:
            with self.lock:
                self.running.remove(label)
            self.change(total - done)

    def change(self, cells):
        with self.lock:
            self.bar.set_description(" + ".join(self.running), refresh=False)
            self.bar.update(cells)
            self.bar.refresh()

    def say(self, text):
        with self.lock:
            self.bar.write(text, file=self.bar.fp)


def execute(lesson, values, output, step=None):
    """Run one lesson and write its notebook and report, also when it fails half-way.

    Args:
        lesson: path of the notebook.
        values: parameters, by name.
        output: folder for both.
        step: called after each cell.
    """
    notebook = output / lesson.name
    notebook.unlink(missing_ok=True)  # an earlier run's must not pass for this one's
    start, error = time.monotonic(), None
    try:
        # The folder is given to the kernel alone: papermill's cwd would be every thread's.
        papermill.execute_notebook(
            lesson, notebook, values, kernel_name="python3", progress_bar=False,
            start_timeout=120, on_cell_executed=step,
            resources={"metadata": {"path": str(lesson.parent)}},
        )  # fmt: skip
    except papermill.PapermillExecutionError as failure:
        error = describe(failure)
    except Exception as failure:  # a dead kernel, a full disk: the other lessons still run
        error = f"{type(failure).__name__}: {failure}"
    seconds = round(time.monotonic() - start, 1)
    executed = nbformat.read(notebook, as_version=4) if notebook.exists() else None
    page = write_html(executed, notebook) if executed else None
    return {
        "lesson": lesson.stem,
        "seconds": seconds,
        "headline": find_headline(executed) if executed and not error else None,
        "parameters": values,
        "notebook": notebook.name if executed else None,
        "report": page.name if page else None,
        "error": error,
    }


def describe(failure):
    """Which cell failed, and the last lines of its error."""
    lines = ANSI.sub("", "\n".join(failure.traceback)).strip().splitlines()
    said = f"{failure.ename}: {failure.evalue}".strip().splitlines()
    first = f"cell [{failure.exec_count}] failed:"
    return "\n    ".join([first, *(said[-6:] if said else lines[-6:])])


def find_headlines(notebook):
    """All that headline.show left in the outputs, in order; of one name the last."""
    found = [
        output["data"][MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    return list({headline["name"]: headline for headline in found}.values())


def find_headline(notebook):
    """The one in the last cell, which is the lesson's; None if there is none."""
    return (find_headlines(notebook) or [None])[-1]


def write_html(executed, notebook):
    """The executed notebook's report beside it, or None."""
    try:
        page = report.render(executed, notebook.stem, NOTEBOOKS)
    except Exception as error:  # the notebook is there, so the run goes on
        print(f"no HTML of {notebook.name}: {error}", file=sys.stderr)
        return None
    file = notebook.with_suffix(".html")
    file.write_text(page, encoding="utf-8")
    return file


@contextlib.contextmanager
def stderr_to(log):
    """Lines that kernels write past Python straight to the terminal go to a log instead."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


def write_summary(results, output):
    """runs/summary.json, whole or not at all."""
    facts = {
        "dataset": os.environ["DATASET"],
        "python": platform.python_version(),
        "system": platform.platform(),
        "lessons": results,
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False, default=str)
    with files.atomic(output / "summary.json") as part:
        part.write_text(text + "\n", encoding="utf-8")


def table(results, output):
    """One line a lesson: its seconds, and its headline or why there is none."""
    width = max(len(result["lesson"]) for result in results)
    lines = ["", f"{'lesson':<{width}}  seconds  headline"]
    for result in results:
        if result["error"]:
            say = f"FAILED: {result['error'].splitlines()[-1].strip()}"
        else:
            found = result["headline"]
            say = f"{found['name']}: {found['text']}" if found else "none"
        lines.append(f"{result['lesson']:<{width}}  {result['seconds']:>7.1f}  {say}")
    with contextlib.suppress(ValueError):
        output = output.relative_to(Path.cwd())
    failed = sum(bool(result["error"]) for result in results)
    lines += [
        "",
        f"Dataset: {os.environ['DATASET']}",
        f"Executed notebooks (.ipynb), reports (.html) and summary.json are in {output}{os.sep}",
    ]
    if failed:
        lines.append(f"{failed} of {len(results)} lessons failed: their notebooks show where.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
