"""What the tests share: synthetic clips, and an order that keeps every worker busy."""

import atexit
import os
import shutil
import tempfile

# Before any test or lesson asks for them; the committed outputs were made so.
os.environ["DATASET"] = "synthetic"
os.environ["YAMNET"] = "none"

# numba writes two files for one compiled function (numba/numba#10128): workers that share their
# folder can each read one of the other's, and librosa.yin then ends the kernel.
os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="numba-")

import pytest

atexit.register(shutil.rmtree, os.environ["NUMBA_CACHE_DIR"], ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_noted(monkeypatch):
    """What a test solves is not the learner's progress."""
    monkeypatch.setattr("helpers.exercises.record.keep", lambda exercise: {})


@pytest.fixture(scope="session")
def synthetic():
    """The catalog of the synthetic clips, which are made if they are not there yet."""
    from helpers import datasets

    return datasets.load("synthetic", quiet=True)


@pytest.fixture(scope="session")
def recordings():
    """The folder of the real recordings; tests that want it are marked `recordings`."""
    folder = os.environ.get("CATS_DOGS_DIR")
    if not folder:
        pytest.skip("CATS_DOGS_DIR names no folder of real recordings")
    return folder


def pytest_sessionfinish(session):
    """Where NO_SKIPS is set, as in a job that installs all that some tests need, a skip fails."""
    said = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("NO_SKIPS") and said and said.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """The long ones first, lessons each on its own; else a file's tests together, for fixtures."""
    for item in items:
        if item.get_closest_marker("notebook"):
            item.add_marker(pytest.mark.xdist_group(item.name))
        elif not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
        if item.get_closest_marker("recordings") and not os.environ.get("CATS_DOGS_DIR"):
            item.add_marker(
                pytest.mark.skip(reason="CATS_DOGS_DIR names no folder of real recordings")
            )
    long = ("colab", "notebook", "space", "browser")
    items.sort(key=lambda item: not any(map(item.get_closest_marker, long)))
