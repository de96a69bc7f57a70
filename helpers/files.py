"""Where the course lies, what identifies a file, and writes that happen whole or not at all."""

import errno
import hashlib
import json
import os
import shutil
import threading
import uuid
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from glob import escape
from pathlib import Path

import filelock

_STDERR = threading.Lock()
ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def atomic(path, keep=None):
    """Write a file or a folder beside its place, and move it there when it is complete.

    Whatever ends the `with` block early, a full disk or Ctrl + C, leaves the old content as it was;
    what a killed process left beside it, the next call for this path removes.

    Args:
        path: of the file or folder to be written; its folder is made.
        keep: asked just before the replacement: True leaves what is there, since another process
            was faster.

    Yields:
        a path beside it, with the same ending, on which nothing exists yet. What is written there,
        a file or a folder, takes the place of the old one at the end of the block.

    Raises:
        OSError: the disk is full, or may not be written to; the message says what to do.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic(Path(folder) / "results.txt") as part:
    ...         _ = part.write_text("42")
    ...     (Path(folder) / "results.txt").read_text()
    '42'
    """
    try:
        with _written(Path(path), keep) as part:
            yield part
    except Exception as error:
        if advice := _advice(error, Path(path)):
            raise OSError(f"{path} cannot be written: {advice}") from error
        raise


def _advice(error, path):
    """What to do about a disk that takes nothing more; None for any other error."""
    number = getattr(error, "errno", None)
    there = next((folder for folder in path.parents if os.path.exists(folder)), None)
    if there is None:  # a drive that is gone
        return None
    named = getattr(error, "filename", None)
    if named and not Path(str(named)).is_relative_to(there):
        return None  # another file than the one that is written
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full. Make room, and try again"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            f"{there} may not be written to, or another program holds the file. Change that, or "
            "copy the course where you may write"
        )
    return None


@contextmanager
def _written(path, keep):
    path.parent.mkdir(parents=True, exist_ok=True)
    for lock in path.parent.glob(f".{escape(path.stem)}-????????{escape(path.suffix)}.lock"):
        with suppress(filelock.Timeout, OSError), filelock.FileLock(lock, blocking=False):
            _tidy(lock.with_suffix(""), path)  # its maker lives no more, or the lock were held
    part = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    with filelock.FileLock(part.with_name(f"{part.name}.lock")):
        try:
            yield part
            if keep is not None and keep():
                return
            if part.is_dir() and path.exists():  # a folder cannot replace one that is not empty
                os.replace(path, _old(part))
            os.replace(part, path)
        except RuntimeError as error:  # libsndfile says no more than "System error."
            if shutil.disk_usage(part.parent).free < 2**16:
                raise OSError(errno.ENOSPC, str(error)) from error
            raise
        finally:
            _tidy(part, path)


def made_of(part):
    """Where what a part is made of may lie, a file or a folder: it is removed with the part."""
    return part.with_name(f"{part.name}-of")


def _old(part):
    """Where the old content waits while the new one takes its place."""
    return part.with_name(f"{part.name}-old")


def _tidy(part, path):
    """Remove what a write left beside its path; old content that would be lost goes back."""
    if _old(part).exists() and not path.exists():
        os.replace(_old(part), path)
    for rest in (part, made_of(part), _old(part), part.with_name(f"{part.name}.lock")):
        if rest.is_dir():
            shutil.rmtree(rest, ignore_errors=True)
        else:
            with suppress(PermissionError):  # Windows removes a lock when it is let go
                rest.unlink(missing_ok=True)


def runs():
    """The folder of what runs leave behind: runs/, or where COURSE_RUNS says."""
    return Path(os.environ.get("COURSE_RUNS") or ROOT / "runs")


def digest(path, by="sha256"):
    """What identifies a file by its content: its digest, in hexadecimal digits.

    Args:
        path: of the file.
        by: the kind of digest, as hashlib names it.
    """
    about = os.stat(path)
    return _digest(str(path), about.st_size, about.st_mtime_ns, by)


@lru_cache(maxsize=4096)  # a file that has neither size nor time changed is not read again
def _digest(path, size, changed, by):
    # some systems forbid md5, but for where nobody is to be kept out by it
    function = partial(hashlib.new, by, usedforsecurity=False)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, function).hexdigest()


def write_json(path, content):
    """Write what JSON can hold, indented by one space, whole or not at all."""
    with atomic(path) as part:
        part.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


@contextmanager
def no_stderr():
    """Keep what is written to stderr meanwhile from the terminal, lines of C++ too.

    File descriptor 2 is redirected: such lines come before any Python setting is read. It belongs
    to the whole process, so that one thread at a time may do so: a second one would save the
    redirected descriptor, and leave it so.
    """
    with _STDERR:
        yield from _redirected()


def _redirected():
    try:
        saved = os.dup(2)
    except OSError:  # no stderr at all (pythonw on Windows)
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
