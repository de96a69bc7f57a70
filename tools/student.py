"""Write the course without its solutions, for a class: runs/student.

python tools/student.py
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import nbformat

from helpers import files

# What a learner needs. Tests hold right answers, TEACHING.md those of the exam: both stay out.
TAKEN = (
    *("notebooks", "helpers", "tools", "benchmarks", "data/README.md", "data/elsewhere.csv"),
    *("data/pretrained", "Makefile", "pyproject.toml", "setup.py", "requirements.txt"),
    *("requirements.lock", "LICENSE", "CITATION.cff"),
)
CACHES = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.pyc", "quizzes")
README = """# Barks & Meows

Learn audio classification with deep learning by telling cats from dogs. This is the copy of your
class: the exercises wait in it for what you write, without solutions to look up.

## Start

With Python 3.11, 3.12 or 3.13, in this folder:

```sh
DATASET=synthetic make lab    # installs what the course needs, then opens JupyterLab
```

Without make, as on Windows:

```bat
py -3.12 -m venv .venv
.venv\\Scripts\\pip install -r requirements.lock -e .
set DATASET=synthetic
.venv\\Scripts\\jupyter lab notebooks\\00_start_here.ipynb
```

What you have solved: `exercises.progress()` in any lesson. The course's words stand in the
[glossary](notebooks/glossary.md), those who found its methods in the
[references](notebooks/references.md).

## Lessons

"""
# A badge opens the lesson in the course that has the solutions.
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)\s*")
LESSON = re.compile(r"^\| \[\d\d .*", re.MULTILINE)
FOLD = re.compile(
    r"<details\b[^>]*>\s*<summary>[^<]*\bsolutions?\b[^<]*</summary>.*?</details>\s*",
    re.DOTALL | re.IGNORECASE,
)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=files.ROOT, help="another copy of the course")
    parser.add_argument("--output", type=Path, help="another folder than runs/student")
    options = parser.parse_args(argv)
    output = options.output or files.runs() / "student"
    solutions = write(options.root, output)
    print(f"{output}: the course without its {solutions} solutions")
    print("Hand out this folder; its README.md tells how to begin.")
    return 0


def write(root, output):
    """Copy the course and take the solutions out of the copy; returns how many there were."""
    with files.atomic(output) as folder:
        for name in TAKEN:
            source, target = root / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=CACHES)
            elif source.exists():
                shutil.copyfile(source, target)
        solutions = 0
        for path in sorted((folder / "notebooks").glob("*.ipynb")):
            notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
            solutions += without_solutions(notebook)
            nbformat.write(notebook, path)
        (folder / "README.md").write_text(README + table(root / "README.md"), "utf-8")
    return solutions


def table(readme):
    """The README's table of lessons, without what opens them elsewhere."""
    rows = [BADGE.sub("", row).rstrip(" |") for row in LESSON.findall(readme.read_text("utf-8"))]
    return "\n".join(["| lesson | question |", "|---|---|", *(f"{row} |" for row in rows), ""])


def without_solutions(notebook):
    """Take out the folded solutions, badges and what exercises' cells said; returns how many."""
    solutions, kept = 0, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, n = FOLD.subn("", cell.source)
            cell.source, badges = BADGE.subn("", cell.source)
            solutions += n
            if (n or badges) and not cell.source.strip():
                continue
        elif "exercise" in cell.metadata.get("tags", []):
            cell.outputs, cell.execution_count = [], None
        kept.append(cell)
    notebook.cells = kept
    return solutions


if __name__ == "__main__":
    sys.exit(main())
