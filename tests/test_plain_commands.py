"""The README's commands for those who have no make name what is there."""

import re

import plain_commands
from lessons import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_each_file_and_module_is_there():
    named = []
    for command in plain_commands.written(README):
        named += [ROOT / path.replace("\\", "/") for path in re.findall(r"tools\\\w+\.py", command)]
        named += [ROOT / path.replace("\\", "/") for path in re.findall(r"notebooks\S+", command)]
        for module in re.findall(r"-m (helpers\S+)", command):
            path = ROOT.joinpath(*module.split("."))
            named.append(path / "__main__.py" if path.is_dir() else path.with_suffix(".py"))
    assert len(named) >= 8 and [path for path in named if not path.is_file()] == []


def test_what_is_run_ends_before_the_first_page_that_waits():
    """On Windows as it stands there; elsewhere in the words of a POSIX shell."""
    there = plain_commands.to_run(README, windows=True).split("&& ")
    here = plain_commands.to_run(README, windows=False).split("&& ")
    assert there == plain_commands.written(README)[: len(there)] and len(here) == len(there)
    assert there[-1] == r".venv\Scripts\python tools\run_all.py"
    assert here[-1] == ".venv/bin/python tools/run_all.py"
    assert "export DATASET=synthetic" in here and not any("\\" in command for command in here)
    assert here[0].endswith(" -m venv .venv") and not here[0].startswith("py ")
