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
    *("data/pretrained", "Makefile", "pyproject.toml", "requirements.txt", "requirements.lock"),
    *("README.md", "LICENSE", "CITATION.cff"),
)
CACHES = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.pyc", "quizzes")
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
        readme = folder / "README.md"
        if readme.exists():
            readme.write_text(without_dead_links(readme.read_text("utf-8"), folder), "utf-8")
    return solutions


def without_dead_links(text, folder):
    """Leave of a link to what is not in the folder its words alone."""

    def kept(link):
        words, target = link.groups()
        return link[0] if "://" in target or (folder / target.split("#")[0]).exists() else words

    return re.sub(r"(?<!!)\[([^][]*)\]\(([^)]*)\)", kept, text)


def without_solutions(notebook):
    """Take out the folded solutions and what the exercises' cells said; returns how many."""
    solutions, kept = 0, []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source, n = FOLD.subn("", cell.source)
            solutions += n
            if n and not cell.source.strip():
                continue
        elif "exercise" in cell.metadata.get("tags", []):
            cell.outputs, cell.execution_count = [], None
        kept.append(cell)
    notebook.cells = kept
    return solutions


if __name__ == "__main__":
    sys.exit(main())
