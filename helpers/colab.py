"""Install what Colab lacks for the lessons; a setup cell runs this file after fetching the course.

Colab brings most packages, with its own TensorFlow. Only what is missing is added, and all that is
there stays as it is: another version of a package that is loaded would need a restart.
"""

import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

KEEP = ("tensorflow", "keras", "numpy")
# From this heading of requirements.txt on, nothing is needed in Colab.
END = "# [tools]"


def missing(requirements_text, installed):
    """The requirements that a lesson needs and that are not installed.

    Args:
        requirements_text: of requirements.txt.
        installed: names of the installed distributions, in any spelling.

    Returns:
        list of requirements such as "soxr>=0.5,<2", in the order of the file.
    """
    present = {_normal(name) for name in (*installed, *KEEP)}
    wanted = []
    for line in requirements_text.split(END)[0].splitlines():
        requirement = line.split("#")[0].strip()
        name = re.match(r"[\w.-]+", requirement)
        if name and not requirement.startswith("-") and _normal(name[0]) not in present:
            wanted.append(requirement)
    return wanted


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def main():
    """Add what is missing, and say what was added and what could not be."""
    text = Path(__file__).resolve().parent.with_name("requirements.txt").read_text("utf-8")
    installed = [(d.metadata["Name"], d.version) for d in metadata.distributions()]
    versions = {_normal(name): version for name, version in installed if name}
    wanted = missing(text, versions)
    if not wanted:
        return
    added, refused = [], []
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "keep.txt"
        kept = [f"{name}=={version}\n" for name, version in versions.items()]
        constraints.write_text("".join(kept), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint", str(constraints)]
        for requirement in wanted:  # one that would change another package keeps none from coming
            done = subprocess.run([*pip, requirement], capture_output=True, check=False)
            (refused if done.returncode else added).append(requirement)
    if added:
        print(f"Added for this course: {', '.join(added)}")
    if refused:
        print(f"Not added, for it would change what is installed: {', '.join(refused)}")


if __name__ == "__main__":
    main()
