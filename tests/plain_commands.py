"""Run the README's commands for those who have no make, up to the first that serves a page.

    python tests/plain_commands.py

They stand there for Windows, whose own shell runs them as they are written; elsewhere
.venv\\Scripts becomes .venv/bin. CI does so on Windows and macOS, in a fresh clone.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVES = "jupyter lab"  # from here on a command waits for a reader


def written(readme):
    """All commands of the README's block for Windows, as they stand there."""
    block = re.search(r"^```bat\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    return block[1].splitlines()


def for_this_system(command, windows=os.name == "nt"):
    """A command in the words of this system's shell."""
    if windows:
        return command
    command = command.replace(".venv\\Scripts", ".venv/bin").replace("\\", "/")
    command = re.sub(r"^py -3\.\d+ ", f"{sys.executable} ", command)
    return re.sub(r"^set ", "export ", command)


def to_run(readme, windows=os.name == "nt"):
    """The commands that end by themselves, from the first on, as one line for the shell."""
    commands = written(readme)
    served = next(k for k, command in enumerate(commands) if SERVES in command)
    # no blank before &&, which `set` would take for a part of its value
    return "&& ".join(for_this_system(command, windows) for command in commands[:served])


if __name__ == "__main__":
    line = to_run((ROOT / "README.md").read_text("utf-8"))
    print(line, flush=True)
    sys.exit(subprocess.run(line, shell=True, cwd=ROOT).returncode)
