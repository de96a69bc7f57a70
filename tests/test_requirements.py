"""The tested set, requirements.lock, and the ranges, requirements.txt."""

import re

import pytest
from lessons import ROOT
from packaging.requirements import Requirement

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
