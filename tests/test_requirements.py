"""The tested set, requirements.lock, and the ranges, requirements.txt."""

import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from lessons import ROOT
from packaging.requirements import Requirement

from helpers import colab

WHERE = [
    {"python_version": version, "python_full_version": f"{version}.9", "sys_platform": system}
    for version in ("3.11", "3.12", "3.13")
    for system in ("linux", "darwin", "win32")
]


def gaps(ranges, lock, where):
    """What a set lacks for a list of requirements, on one system and Python."""
    lines = [line.split("#")[0].strip() for line in ranges.splitlines()]
    pins = [Requirement(line) for line in lock.splitlines() if not line.startswith("#")]
    pinned = {pin.name: pin for pin in pins if not pin.marker or pin.marker.evaluate(where)}
    say = []
    for wanted in [Requirement(line) for line in lines if line and not line.startswith("-e")]:
        pin = pinned.get(wanted.name)
        version = pin and re.fullmatch(r"==([\w.]+)", str(pin.specifier))
        if not version:
            say.append(f"{wanted.name} has no pin")
        elif version[1] not in wanted.specifier:
            say.append(f"{pin} is not in {wanted.specifier}")
    return say


@pytest.mark.parametrize("where", WHERE, ids=lambda where: " ".join(list(where.values())[::2]))
def test_the_lock_holds_every_requirement_in_its_range(where):
    ranges, lock = ((ROOT / f"requirements.{kind}").read_text("utf-8") for kind in ("txt", "lock"))
    assert gaps(ranges, lock, where) == []


def test_the_package_asks_for_what_the_lessons_import(tmp_path):
    """As pip reads it, from a copy: all of the list's first part, and no tools."""
    pytest.importorskip("setuptools", minversion="77")  # pip brings its own
    for name in ("pyproject.toml", "setup.py", "requirements.txt", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for package in project["tool"]["setuptools"]["packages"]:
        (tmp_path / package.replace(".", "/")).mkdir()
    code = "from setuptools import build_meta; build_meta.prepare_metadata_for_build_wheel('.')"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (metadata,) = tmp_path.glob("*.dist-info/METADATA")
    asked = re.findall(r"^Requires-Dist: (.+)", metadata.read_text("utf-8"), re.MULTILINE)
    first = (ROOT / "requirements.txt").read_text("utf-8").split(colab.END)[0]
    lines = [line.split("#")[0].strip() for line in first.splitlines()]
    wanted = {Requirement(line) for line in lines if line}
    assert set(map(Requirement, asked)) == wanted and len(wanted) > 10


def test_the_lock_names_no_place():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    lines = [line for line in lock.splitlines() if not line.startswith("#")]
    assert [line for line in lines if re.search(r"://|^-|@|\\|/", line)] == []


def test_a_lock_that_fell_behind_is_seen():
    ranges = "one>=2,<3  # why\ntwo>=1,<2\nthree>=1,<2\n-e .\n"
    lock = "one==3.0\ntwo==1.5 ; python_full_version < '3.12'\nthree>=1\n"
    where = WHERE[0]
    assert gaps(ranges, lock, where) == ["one==3.0 is not in <3,>=2", "three has no pin"]
    assert "two has no pin" in gaps(ranges, lock, WHERE[-1])


def test_a_job_runs_what_is_installed_beside_the_lock_and_both_are_audited():
    workflows = ROOT / ".github" / "workflows"
    beside = yaml.safe_load((workflows / "test.yml").read_text("utf-8"))["jobs"]["beside"]
    steps = [step for step in beside["steps"] if "run" in step]
    ran = " ".join(step["run"] for step in steps)
    audit = (workflows / "audit.yml").read_text("utf-8")
    for extra in ("helpers/datasets/large/requirements.txt", "site/requirements.txt"):
        assert f"-r {extra}" in ran and f"--requirement {extra}" in audit
    assert "tests/test_large.py tests/test_site.py" in ran and "NO_SKIPS" in steps[-1]["env"]


SKIPS = {
    "a_test": "import pytest\ndef test_it():\n    pytest.skip()",
    "a_file": "import pytest\npytest.importorskip('no_such')",
}


@pytest.mark.parametrize("kind", SKIPS)
@pytest.mark.parametrize("strict", ["", "1"])
def test_where_nothing_may_be_skipped_a_skip_fails(tmp_path, kind, strict):
    (tmp_path / "test_a.py").write_text(f"{SKIPS[kind]}\ndef test_more(): pass")
    (tmp_path / "test_b.py").write_text("def test_that(): pass")
    (tmp_path / "conftest.py").write_bytes((ROOT / "tests" / "conftest.py").read_bytes())
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-c", os.devnull]
    options = ["-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    env = os.environ | {"NO_SKIPS": strict, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *options], env=env, capture_output=True, text=True)
    assert done.returncode == (1 if strict else 0), done.stdout + done.stderr
