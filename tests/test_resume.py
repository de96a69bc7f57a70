"""What trainings that were killed leave behind is taken up again, and does not pile up."""

import os
from types import SimpleNamespace

import pytest

from helpers import resume


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path))
    return tmp_path / "unfinished"


NETWORK = SimpleNamespace(variables=[], optimizer=SimpleNamespace(variables=[]))


def killed(folder, number):
    """A training of its own that gets through its first epoch, at a time that is told."""
    before = set(folder.iterdir()) if folder.exists() else set()
    resume.Resume(NETWORK, 5_000, number).on_epoch_end(0, {"loss": 1.0})
    (new,) = set(folder.iterdir()) - before
    os.utime(new, (1e9 + number, 1e9 + number))
    return new


def test_only_the_newest_are_kept(folder):
    made = [killed(folder, number) for number in range(resume._MOST + 4)]
    assert set(folder.iterdir()) == set(made[4:])
    assert resume.Resume(NETWORK, 5_000, 0).epoch == 0
    newest = resume.Resume(NETWORK, 5_000, resume._MOST + 3)
    assert newest.epoch == 1 and newest.past == {"loss": [1.0]}


def test_half_a_file_goes_with_its_lock_and_none_is_lost_that_is_taken_up(folder):
    first = killed(folder, 0)
    for name in (f".{first.stem}-01234567.npz", f".{first.stem}-01234567.npz.lock"):
        (folder / name).touch()
        os.utime(folder / name, (1e9 - 1, 1e9 - 1))
    (folder / "a folder").mkdir()
    os.utime(folder / "a folder", (1e9 - 1, 1e9 - 1))
    made = [first, *(killed(folder, number) for number in range(1, resume._MOST))]
    assert len(list(folder.iterdir())) == resume._MOST + 3  # whole ones count, and nothing else
    assert resume.Resume(NETWORK, 5_000, 0).epoch == 1  # what goes on removes nothing
    assert len(list(folder.iterdir())) == resume._MOST + 3
    made += [killed(folder, number) for number in (97, 98)]
    assert set(folder.iterdir()) == {*made[2:], folder / "a folder"}


def test_one_that_cannot_be_removed_keeps_no_other(folder, monkeypatch):
    made = [killed(folder, number) for number in range(resume._MOST)]
    monkeypatch.setattr(resume, "_MOST", resume._MOST - 2)  # three are to go
    unlink, held = type(folder).unlink, []

    def first_is_held(path, **options):
        if not held:
            held.append(path)
            raise PermissionError(path)
        unlink(path, **options)

    monkeypatch.setattr(type(folder), "unlink", first_is_held)
    new = killed(folder, 99)
    assert held[0] in made[:3] and set(folder.iterdir()) == {held[0], *made[3:], new}


def test_a_short_training_keeps_nothing(folder):
    resume.Resume(NETWORK, 10, 0).on_epoch_end(0, {"loss": 1.0})
    assert not folder.exists()
