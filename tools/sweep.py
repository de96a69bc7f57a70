"""Run a lesson with every combination of some parameters' values; end in a table and a figure.

    python tools/sweep.py                        lesson 04, three seeds, two learning rates
    python tools/sweep.py 05 -p SEED 0,1,2       another lesson, other values
    python tools/sweep.py 04 --grid grid.yaml    values from lines such as `SEED: [0, 1, 2]`
    python tools/sweep.py --collect FOLDER       runs nothing: what a class's notebooks there say

Each run keeps its executed notebook, report and metrics in a folder of runs/sweep/. What is
finished there is not run again, unless the lesson, the helpers or the recordings have changed.
With DASK_SCHEDULER=tcp://HOST:8786 the runs go to its workers, which need the course at the same
place and share the folder of the results (and `make large`'s packages).
"""

import argparse
import ast
import hashlib
import itertools
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import matplotlib
import nbformat
import pandas as pd
import run_all
from matplotlib.figure import Figure
from run_all import NOTEBOOKS, UsageError

from helpers import files

GRID = {"SEED": [0, 1, 2], "LEARNING_RATE": [0.001, 0.0003]}
METRICS = "metrics.json"


def main(argv=None):
    args = read_arguments(argv)
    try:
        if args.collect:
            return collect_class(args.collect)
        (lesson,) = run_all.choose([args.lesson], args.notebooks)
        declared = run_all.declared_parameters(lesson)
        grid = read_grid(args.grid, args.p, declared)
        run_all.check_names(grid, {lesson: declared})
        source = args.dataset or os.environ.get("DATASET") or "synthetic"
        os.environ["DATASET"] = run_all.absolute(source)
        points = [dict(zip(grid, values)) for values in itertools.product(*grid.values())]
        for point in points:
            run_all.check_values(point)
        sources = grid.get("DATASET", [os.environ["DATASET"]])
        recordings = {source: run_all.check_recordings(source) for source in sources}
        output = Path(args.output or files.runs()).expanduser().resolve() / "sweep" / lesson.stem
        output.mkdir(parents=True, exist_ok=True)
        with run_all.alone(output):
            return sweep(args, lesson, list(grid), points, recordings, output)
    except (UsageError, OSError) as error:
        print(f"sweep.py: {error}", file=sys.stderr)
        return 2


def sweep(args, lesson, names, points, recordings, output):
    """Run what is not finished yet, and write the table and the figure; the exit status."""
    wanted = {folder_of(point, output): point for point in points}
    key = {
        folder: fingerprint(lesson, recordings[point.get("DATASET", os.environ["DATASET"])])
        for folder, point in wanted.items()
    }
    left = [folder for folder in wanted if not finished(folder, key[folder])]
    print(f"{lesson.stem}: {len(wanted)} runs, of which {len(wanted) - len(left)} are finished")
    status = run_those(left, wanted, lesson, key, output, args.j) if left else 0
    table = collect(wanted, key)
    if not table.empty:
        table.to_csv(output / "sweep.csv", index=False)
        print(say(table, names))
        if table.value.notna().any():
            draw(table, names, output / "sweep.png")
        print(f"\nsweep.csv, sweep.png and the runs' folders are in {output}{os.sep}")
    return status or int(table.empty or table.error.notna().any())


def read_arguments(argv):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lesson", nargs="?", default="04", metavar="LESSON", help="such as 04")
    parser.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUES"),
        help="a parameter and its values, with commas between them",
    )  # fmt: skip
    parser.add_argument("--grid", metavar="FILE.yaml", help="parameters and values from a file")
    parser.add_argument("--collect", metavar="FOLDER", type=Path,
                        help="write FOLDER/class.csv of the executed notebooks in it")  # fmt: skip
    parser.add_argument("--dataset", metavar="SOURCE", help="as for run_all.py")
    parser.add_argument("--output", metavar="DIR", help="instead of runs/")
    run_all.add_side_by_side(parser, "runs")
    parser.add_argument("--notebooks", metavar="DIR", type=Path, default=NOTEBOOKS,
                        help="run another folder's lesson")  # fmt: skip
    return parser.parse_args(argv)


def read_grid(file, pairs, declared):
    """{parameter: its values}: the file's, then the command line's, or the default grid's."""
    if not file and not pairs:
        return {name: values for name, values in GRID.items() if name in declared}
    grid = run_all.read_parameters(file, [])
    grid |= {name: [read_value(text) for text in texts.split(",")] for name, texts in pairs}
    grid = {k: list(v) if isinstance(v, (list, tuple)) else [v] for k, v in grid.items()}
    empty = [name for name, values in grid.items() if not values]
    if empty or not grid:
        raise UsageError(f"no values to run with{''.join(f', {name}' for name in empty)}")
    return {name: [run_all.absolute(v) for v in values] for name, values in grid.items()}


def read_value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text.strip()


def folder_of(point, output):
    """A folder for one run, named by its values; eight digits keep different ones apart."""
    key = hashlib.sha256(json.dumps([point, os.environ["DATASET"]]).encode()).hexdigest()[:8]
    name = "_".join(f"{n}-{Path(str(value)).name}" for n, value in point.items())
    return output / f"{''.join(c if c.isalnum() or c in '._-' else '-' for c in name)[:80]}_{key}"


def fingerprint(lesson, recordings):
    """Changes with the lesson's code, with the helpers that it calls, and with the recordings."""
    cells = nbformat.read(lesson, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "code"]
    helpers = sorted((NOTEBOOKS.parent / "helpers").rglob("*.py"))
    texts += [path.read_text(encoding="utf-8") for path in helpers]
    return hashlib.sha256(json.dumps([texts, recordings]).encode()).hexdigest()


def read_metrics(folder, key):
    """What a run left behind, which it writes last of all; None if there is nothing for us."""
    try:
        facts = json.loads((folder / METRICS).read_text(encoding="utf-8"))
        return facts if facts["code"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def finished(folder, key):
    facts = read_metrics(folder, key)
    return facts is not None and not facts["error"] and (folder / facts["notebook"]).exists()


def run_those(folders, wanted, lesson, key, output, side_by_side):
    """Run what is left, each with its metrics; the exit status."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / METRICS).unlink(missing_ok=True)
    os.environ["COURSE_RUNS"] = str(output)  # what is trained lands beside the runs
    try:
        if os.environ.get("DASK_SCHEDULER"):
            tasks = [(lesson, wanted[folder], folder, key[folder]) for folder in folders]
            return run_on_cluster(tasks)
        jobs = [(label(wanted[folder]), lesson, wanted[folder], folder) for folder in folders]
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as kernel:
            run_all.use_this_python(kernel)
            for (*_, folder), result in run_all.run(jobs, output / "run.log", side_by_side):
                write_metrics(folder, result, key[folder])
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def write_metrics(folder, result, key):
    """What became of a run, as run_all.execute gives it, with the lesson's headlines."""
    facts = {**result, "headlines": [], "code": key}
    if not result["error"]:
        executed = nbformat.read(folder / result["notebook"], as_version=4)
        facts["headlines"] = run_all.find_headlines(executed)
    text = json.dumps(facts, indent=2, default=str)
    with files.atomic(folder / METRICS) as part:
        part.write_text(text + "\n", encoding="utf-8")


def run_on_cluster(tasks):
    """Run what is left on the workers of DASK_SCHEDULER; the exit status.

    Args:
        tasks: list of (lesson, point, folder, key).
    """
    from helpers.datasets.large import engine

    names = ("DATASET", "YAMNET", "COURSE_RUNS")
    here, env = str(Path(__file__).parent), {k: os.environ[k] for k in names if k in os.environ}

    def work(*task):  # sent as its code: a worker knows no tools/
        sys.path.insert(0, here)
        import sweep

        sweep.run_one(env, *task)

    try:
        with engine.client() as client:
            engine.run(client, work, tasks, "runs")
    except (RuntimeError, OSError) as error:
        print(f"sweep.py: {error}", file=sys.stderr)
        return 1
    return 0


def run_one(env, lesson, point, folder, key):
    """On a worker, which runs one lesson at a time: run it, and write its metrics."""
    os.environ.update(env)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as kernel:
        run_all.use_this_python(kernel)
        write_metrics(folder, run_all.execute(lesson, point, folder), key)


def label(point):
    return ", ".join(f"{name} {value}" for name, value in point.items())


def collect(wanted, key):
    """DataFrame of the runs that there are: one row a headline, or an error."""
    rows = []
    for folder, point in wanted.items():
        facts = read_metrics(folder, key[folder])
        if facts:
            error = facts["error"] and " ".join(facts["error"].split())
            for found in facts["headlines"] or [{"name": None, "value": None, "text": None}]:
                rows.append({**point, "headline": found["name"], "value": found["value"],
                             "text": found["text"], "error": error, "seconds": facts["seconds"],
                             "folder": folder.name})  # fmt: skip
    texts = ["headline", "text", "error"] if rows else []
    return pd.DataFrame(rows).astype(dict.fromkeys(texts, "string"))


def collect_class(folder):
    """Write class.csv into a folder of learners' executed notebooks; the exit status."""
    paths = [
        path for path in sorted(folder.rglob("*.ipynb")) if ".ipynb_checkpoints" not in path.parts
    ]
    if not paths:
        raise UsageError(f"no notebooks in {str(folder)!r}")
    rows = []
    for path in paths:
        try:
            said = said_by(nbformat.read(path, as_version=4))
        except Exception as error:  # whatever a learner handed in, the others' count
            reason = " ".join(str(error).split())[:100]
            said = [{"error": f"not readable: {type(error).__name__}: {reason}"}]
        rows += [{"file": path.relative_to(folder).as_posix(), **row} for row in said]
    columns = ["file", "SEED", "headline", "value", "text", "solved", "exercises", "error"]
    table = pd.DataFrame(rows).reindex(columns=columns)
    table["value"] = pd.to_numeric(table.value, errors="coerce")  # a learner may show any
    table = table.astype(dict.fromkeys(["solved", "exercises"], "Int64"))
    with files.atomic(folder / "class.csv") as part:
        table.to_csv(part, index=False)
    print(table.drop(columns="text").to_string(index=False, na_rep=""))
    if table.headline.nunique() == 1:
        draw(table[table.value.notna()], [], folder.resolve() / "class.png")
    print(f"\n{len(paths)} notebooks: class.csv is in {folder}{os.sep}")
    return 0


def said_by(notebook):
    """What an executed lesson says, one row a headline: it, its seed, and how much is solved."""
    row, checks = {}, {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])):
            seed = re.search(r"^SEED\s*=\s*(\d+)", cell.source, re.MULTILINE)
            row |= {"SEED": seed[1]} if seed else {}
        right = any("✓ Right" in output.get("text", "") for output in cell.outputs)
        for number in re.findall(r'exercises\.check\("([\d.]+)"', cell.source):
            checks[number] = checks.get(number, False) or right  # answered in a cell of their own
        failed = [output for output in cell.outputs if output.output_type == "error"]
        row |= {"error": f"{failed[0].ename}: {failed[0].evalue}"[:100]} if failed else {}
    row |= {"solved": sum(checks.values()), "exercises": len(checks)}
    found = run_all.find_headlines(notebook)
    return [
        row | {"headline": one["name"], "value": one["value"], "text": one["text"]} for one in found
    ] or [row]


def settings(table, names):
    """(label, its values) for every setting but the seed and, if there are some, every headline."""
    table = table[table.value.notna()]
    keys = [name for name in names if name != "SEED"]
    keys += ["headline"] * (table.headline.nunique() > 1)
    if not keys:
        return [("all seeds", table.value)]
    groups = table.groupby(keys, sort=False).value
    return [
        (", ".join(v if k == "headline" else f"{k} {v}" for k, v in zip(keys, values)), runs)
        for values, runs in groups
    ]


def say(table, names):
    """The table in words: one line a run, then one a setting with its mean over the seeds."""
    result = ("FAILED: " + table.error).fillna(table.text).fillna("no headline")
    headlines = list(table.headline.dropna().unique())
    columns = [*names, "seconds", *["headline"] * (len(headlines) > 1)]
    shown = table[columns].assign(result=result).to_string(index=False, na_rep="")
    lines = ["", shown, ""]
    for name, values in settings(table, names):
        if lines[-1] == "":
            of = f"{headlines[0]}, " if len(headlines) == 1 else ""
            lines.append(f"{of}mean (lowest to highest):")
        lines.append(f"  {name}: {values.mean():.3f} ({values.min():.3f} to {values.max():.3f}), "
                     f"{len(values)} runs")  # fmt: skip
    failed = table.error.notna().sum()
    if failed:
        lines.append(f"{failed} failed; the same command tries them again")
    return "\n".join(lines)


def draw(table, names, path):
    """One line a setting: a dot for each run, a bar at their mean."""
    lines = settings(table, names)
    headlines = table.headline.dropna().unique()
    with matplotlib.rc_context({"axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8, 1.2 + 0.45 * len(lines)), layout="constrained")
        ax = figure.subplots()
    for y, (_, values) in enumerate(lines):
        ax.plot(values, [y] * len(values), "o", color="#0072B2", alpha=0.6)
        ax.plot([values.mean()], [y], "|", color="black", markersize=18, markeredgewidth=2)
    ax.set_yticks(range(len(lines)), [name for name, _ in lines])
    ax.set_ylim(len(lines) - 0.5, -0.5)
    what = headlines[0] if len(headlines) == 1 else "headline"
    ax.set(xlabel=f"{what} (a dot: one run; a bar: their mean)", ylabel="setting",
           title=f"{path.parent.name}: {len(table)} runs")  # fmt: skip
    ax.grid(axis="x", alpha=0.3)
    figure.savefig(path, dpi=120)
    return figure


if __name__ == "__main__":
    sys.exit(main())
