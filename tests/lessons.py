"""A lesson as the tests see it: its file, its cells, its parameters and its exercises."""

import ast
import re
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
STEMS = [path.stem for path in PATHS]
URL = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]
SOLUTION = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)


@dataclass
class Lesson:
    """One notebook, and the names of all of them for its links."""

    stem: str
    notebook: nbformat.NotebookNode
    stems: list
    size: int = 0

    @property
    def cells(self):
        return self.notebook.cells

    @property
    def code(self):
        return [cell for cell in self.cells if cell.cell_type == "code" and cell.source.strip()]

    @property
    def texts(self):
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    def tagged(self, tag):
        return [cell for cell in self.cells if tag in cell.metadata.get("tags", [])]

    @property
    def check_cell(self):
        """Position of the cell that calls parameters.check, or None."""
        found = (i for i, c in enumerate(self.cells) if "parameters.check(" in c.source)
        return next(found, None)

    @property
    def parameters(self):
        """The declared parameters and their values, where those are literals."""
        values = {}
        for cell in self.tagged("parameters"):
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    values[node.targets[0].id] = ast.literal_eval(node.value)
        return values

    @property
    def solutions(self):
        """Position of each exercise's cell and the solution that stands below it, or None."""
        found = {}
        for i, cell in enumerate(self.cells):
            if "exercise" in cell.metadata.get("tags", []):
                below = "".join(
                    c.source for c in self.cells[i + 1 : i + 2] if c.cell_type == "markdown"
                )
                match = SOLUTION.search(below)
                found[i] = match[1] if match else None
        return found


def read(path):
    return Lesson(path.stem, nbformat.read(path, as_version=4), STEMS, path.stat().st_size)


def tree(cell):
    """A code cell's syntax tree; magics and shell lines, which Python cannot parse, left out."""
    lines = cell.source.splitlines()
    return ast.parse("\n".join("" if re.match(r"\s*[%!]", line) else line for line in lines))


def committed():
    """Files that git tracks or would: what a commit of everything would hold."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git working copy, so nothing tells which files are tracked")
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    assert names
    return names
