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
import time
from pathlib import Path

import nbformat
import papermill
import report
import yaml
from tqdm import tqdm

from helpers import datasets, parameters
from helpers.headline import MIME

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
SOURCES = ("auto", "synthetic", "kaggle")
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
    output = Path(args.output or os.environ.get("COURSE_RUNS") or NOTEBOOKS.parent / "runs")
    output = output.expanduser().resolve()
    output.mkdir(parents=True, exist_ok=True)
    os.environ["COURSE_RUNS"] = str(output)  # what the lessons train lands there too
    results = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        use_this_python(folder)
        try:
            jobs = [
                (p.stem, p, {name: given[name] for name in given if name in declared[p]}, output)
                for p in lessons
            ]
            for result in run(jobs, output / "run.log"):
                results.append(result)
        except KeyboardInterrupt:
            print("\nInterrupted.", file=sys.stderr)
            return 130
        finally:
            write_summary(results, output)
    print(table(results, output))
    return int(any(result["error"] for result in results))


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
        "--dataset", metavar="SOURCE", help="auto, synthetic, kaggle or a folder of recordings"
    )
    parser.add_argument("--output", metavar="DIR", help="instead of runs/")
    parser.add_argument("--notebooks", metavar="DIR", type=Path, default=NOTEBOOKS,
                        help="run another folder's lessons")  # fmt: skip
    return parser.parse_args(argv)


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
    """And so do recordings that are not there."""
    try:
        datasets.load(source)
    except (ValueError, OSError) as error:
        raise UsageError(error) from None


def absolute(value):
    """A file or folder named from here, or from the course's root, as an absolute path."""
    if isinstance(value, str) and value.strip() and value not in SOURCES:
        for base in (Path.cwd(), NOTEBOOKS.parent):
            path = base / Path(value).expanduser()
            if path.exists():
                return str(path.resolve())
    return value


def use_this_python(folder):
    """Make the kernel "python3" mean the Python that runs this, whatever else is installed."""
    kernel = Path(folder) / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(folder), *([others] if others else [])])
    os.environ["IPYTHONDIR"] = str(Path(folder) / "ipython")  # nobody's start-up files
    os.environ.pop("MPLBACKEND", None)  # it would leave the pictures out
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")


def run(jobs, log):
    """Execute jobs (label, lesson, parameters, folder) in order; yields what became of each.

    What kernels write straight to the terminal goes to the log.
    """
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with (
        os.fdopen(os.dup(2), "w") as screen,
        tqdm(jobs, unit="lesson", file=screen, dynamic_ncols=True) as bar,
        stderr_to(log),
    ):
        for label, lesson, values, folder in bar:
            bar.set_description(label)
            result = execute(lesson, values, folder)
            if result["error"]:
                tqdm.write(f"{label}: {result['error']}\n", file=screen)
            yield result


def execute(lesson, values, output):
    """Run one lesson and write its notebook and report, also when it fails half-way."""
    notebook = output / lesson.name
    notebook.unlink(missing_ok=True)  # an earlier run's must not pass for this one's
    start, error = time.monotonic(), None
    try:
        papermill.execute_notebook(
            lesson, notebook, values, kernel_name="python3", cwd=lesson.parent,
            progress_bar=False, start_timeout=120,
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
    """All that report.headline left in the outputs, in order; of one name the last."""
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
    part = output / "summary.json.part"
    text = json.dumps(facts, indent=2, ensure_ascii=False, default=str)
    part.write_text(text + "\n", encoding="utf-8")
    os.replace(part, output / "summary.json")


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
