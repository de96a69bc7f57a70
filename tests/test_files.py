"""Writes are whole or not at all; a file is known by its content."""

import errno
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from helpers import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_complete_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    for text in ("one", "two"):
        with files.atomic(path) as part:
            assert part.suffix == ".txt" and not part.exists()
            part.write_text(text)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == text
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_what_ends_early_leaves_the_old_content_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(type(error)), files.atomic(path) as part:
        part.write_text("half")
        raise error
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("one", "two"):
        with files.atomic(tmp_path / "clips") as part:
            part.mkdir()
            (part / name).write_text(name)
    assert names(tmp_path) == ["clips"] and names(tmp_path / "clips") == ["two"]


def test_nothing_written_is_an_error_and_the_old_stays(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(FileNotFoundError), files.atomic(tmp_path / "a.txt"):
        pass
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize("keep", [True, False])
def test_what_another_process_has_written_meanwhile_may_stay(tmp_path, keep):
    folder = tmp_path / "clips"
    with files.atomic(folder, keep=lambda: keep) as part:
        part.mkdir()
        folder.mkdir()
        (folder / "theirs").write_text("")
    assert names(folder) == (["theirs"] if keep else []) and names(tmp_path) == ["clips"]


def test_a_digest_follows_the_content(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    first = files.digest(path)
    assert files.digest(path) == first and len(first) == 64
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))  # as if at another moment, whatever the clock's steps
    assert files.digest(path) != first


def test_stderr_is_back_after_many_threads_kept_it_away(capfd):
    """It belongs to the process: a thread that saved another's redirection left it so."""

    def quiet():
        for _ in range(50):
            with files.no_stderr():
                os.write(2, b"hidden")

    threads = [threading.Thread(target=quiet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_an_old_folder_survives_an_end_between_its_two_moves(tmp_path, monkeypatch):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "old").write_text("")
    replace = os.replace

    def interrupted(source, target):
        replace(source, target)
        if str(target).endswith("-old"):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt), files.atomic(tmp_path / "clips") as part:
        part.mkdir()
    monkeypatch.undo()
    assert names(tmp_path) == ["clips"] and names(tmp_path / "clips") == ["old"]


WRITER = """
import sys, time
from helpers import files
with files.atomic(sys.argv[1]) as part:
    part.mkdir()
    (part / "half").write_text("")
    print("writing", flush=True)
    time.sleep(600)
"""


def writer(path):
    """A process in the middle of a write."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert process.stdout.readline().strip() == b"writing"
    return process


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signal")
def test_what_a_killed_process_left_goes_with_the_next_write_and_what_a_living_one_has_stays(
    tmp_path,
):
    dead, living = writer(tmp_path / "clips"), writer(tmp_path / "clips")
    neighbour = writer(tmp_path / "clips-more")
    try:
        for one in (dead, neighbour):
            one.send_signal(signal.SIGKILL)
            one.wait()
        assert sum(path.is_dir() for path in tmp_path.iterdir()) == 3
        with files.atomic(tmp_path / "clips") as part:
            part.mkdir()
        left = [path for path in tmp_path.iterdir() if path.is_dir() and path.name[0] == "."]
        assert len(left) == 2 and all((path / "half").exists() for path in left)
    finally:
        living.kill()
        living.wait()
    for name in ("clips", "clips-more"):
        with files.atomic(tmp_path / name) as part:
            part.mkdir()
    assert names(tmp_path) == ["clips", "clips-more"]


def test_old_content_that_a_kill_left_aside_is_brought_back(tmp_path):
    """Killed between the two moves of a replacement."""
    (tmp_path / ".clips-01234567-old").mkdir()
    (tmp_path / ".clips-01234567-old" / "old").write_text("")
    (tmp_path / ".clips-01234567.lock").write_text("")
    with pytest.raises(OSError, match="full"), files.atomic(tmp_path / "clips"):
        raise OSError("disk full")
    assert names(tmp_path) == ["clips"] and names(tmp_path / "clips") == ["old"]


@pytest.mark.parametrize(
    ("number", "say"),
    [
        (errno.ENOSPC, "the disk is full. Make room"),
        (errno.EROFS, "may not be written to, or .* Change that"),
        (errno.EACCES, "may not be written to, or .* Change that"),
    ],
)
def test_a_disk_that_takes_nothing_more_is_one_sentence(tmp_path, number, say):
    with pytest.raises(OSError, match=say) as caught, files.atomic(tmp_path / "a.txt"):
        raise OSError(number, os.strerror(number))
    assert str(caught.value).startswith(f"{tmp_path / 'a.txt'} cannot be written: ")
    assert "\n" not in str(caught.value) and names(tmp_path) == []


def test_another_file_s_error_is_not_this_one_s(tmp_path):
    with pytest.raises(PermissionError, match="else"), files.atomic(tmp_path / "a" / "b.txt"):
        raise OSError(errno.EACCES, "Permission denied", str(tmp_path / "else" / "c.txt"))


def test_a_library_that_cannot_say_that_the_disk_is_full(tmp_path, monkeypatch):
    for free, kind in ((1_000, OSError), (10**9, RuntimeError)):
        monkeypatch.setattr(files.shutil, "disk_usage", lambda _, n=free: SimpleNamespace(free=n))
        with pytest.raises(kind) as caught, files.atomic(tmp_path / "a.wav"):
            raise RuntimeError("System error.")
        assert ("disk is full" in str(caught.value)) == (kind is OSError)


def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system", str(tmp_path / ".a.lock"))

    monkeypatch.setattr(files.filelock.FileLock, "acquire", refuse)
    with (
        pytest.raises(OSError, match="may not be written to"),
        files.atomic(tmp_path / "a.txt"),
    ):
        pytest.fail("it went on")
