"""What the course downloads: name, address, checksum and licence; one downloader for all of it."""

import hashlib
import io
import shutil
import sys
import tarfile
import threading
import urllib.error
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

import pandas as pd

from helpers import files

_GITHUB = "https://raw.githubusercontent.com"
_AT_A_TIME = 8  # files
_SECONDS = 3.0  # for a host's first answer
_SILENCE = 15.0  # seconds between two pieces of a download
_MOST = 4 * 2**30  # bytes of an archive, and of what is in it; ESC-50, the largest, has 1
_MOST_OF_A_FILE = 2**26  # bytes


@dataclass(frozen=True)
class _Download:
    """A public archive, and what is wanted of it.

    Args:
        name: as messages call it.
        url: of a ZIP or TAR archive that needs no account.
        pattern: which of its files the checksum is about, such as "*.wav".
        sha256: of that file; of several, the sha256 of the sorted list of their digests.
        single: keep only the one file that fits the pattern, and refuse any other content;
            otherwise keep all of the archive, and only say so where the content is another,
            for its publisher may have brought out a new version.
        licence: under which it is published, and who says so.
        by: the digest of each of several files, as hashlib names it.
    """

    name: str
    url: str
    pattern: str
    sha256: str
    single: bool
    licence: str
    by: str = "sha256"


RECORDINGS = _Download(
    name="Kaggle's recordings",
    url="https://www.kaggle.com/api/v1/datasets/download/mmoreaux/audio-cats-and-dogs",
    pattern="*.wav",
    sha256="5eeda4e1379468f7d11dd0fcefe3cf7fb32782064e16c3f5464c15f6180a2222",
    single=False,
    licence="CC BY-SA 3.0, as stated by third parties that cite the Kaggle page",
)
ESC50 = _Download(
    name="ESC-50",
    url="https://github.com/karolpiczak/ESC-50/archive/33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6.zip",
    pattern="*.wav",
    # Piczak (2015); of the MD5 of each of its 2,000 clips, as soundata's index of 2.0.0 lists them
    sha256="1c606ff65d6b98592b0774e101d316c96cb070fb9037d12b96a1ec908b4e8791",
    single=False,
    licence="CC BY-NC 3.0, so that no model trained on it may be shipped with this course",
    by="md5",
)
YAMNET = _Download(
    name="Google's YAMNet",
    url="https://www.kaggle.com/api/v1/models/google/yamnet/tfLite/classification-tflite/1/download",
    pattern="*.tflite",
    sha256="10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de",
    single=True,
    licence="Apache-2.0",
)


def fetch(download: _Download, target: Path) -> Path:
    """Download and unpack an archive, whole or not at all.

    What another process has put there meanwhile stays: somebody may be reading it already.

    Args:
        download: what to fetch.
        target: path of the file, or of the folder, that it becomes.

    Returns:
        target.

    Raises:
        ConnectionError: nothing answers, or what came is incomplete, damaged or another file; the
            message says which.
    """
    _check_connection(download.url)
    before = _number(target)
    try:
        with files.atomic(target, lambda: _number(target) not in (None, before)) as part:
            place = files.made_of(part)
            place.mkdir()
            archive, unpacked = place / "archive", place / "unpacked"
            _stream(download, archive)
            _unpack(archive, unpacked)
            found = sorted(unpacked.rglob(download.pattern))
            if not found:
                raise ConnectionError(f"it held no {download.pattern}")
            same = _checksum(found, download.by) == download.sha256
            if download.single and not same:
                begin = download.sha256[:8]
                raise ConnectionError(
                    f"it is not {download.name} (its sha256 should begin with {begin})"
                )
            if not same:
                print(
                    f"{download.name} are not those that this course knows: {len(found)} files "
                    "came whose contents are others. Figures may differ."
                )
            (found[0] if download.single else unpacked).replace(part)
    except Exception as error:
        raise ConnectionError(
            f"the download of {download.name} failed: {_first_line(error)}"
        ) from error
    return target


def _number(path):
    """Tells a file or folder from another one that has taken its place; None if there is none."""
    return path.stat().st_ino if path.exists() else None


def fetch_files(manifest: pd.DataFrame, folder: Path) -> list[tuple[str, str]]:
    """Download single files by their addresses, several at a time; what is there already is kept.

    Args:
        manifest: one row a file; columns file (path below the folder), repository, commit, path
            (on GitHub) and sha256.
        folder: where they go. Each appears when it is complete and its checksum is right, so that
            a call after an interruption goes on where that one stopped.

    Returns:
        list of (file, why it was left out).

    Raises:
        ConnectionError: the host cannot be reached, or not one file could be had.
    """
    rows = [row for row in manifest.itertuples() if not _is(folder / row.file, row.sha256)]
    if not rows:
        return []
    _check_connection(_GITHUB)
    lost = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool, _bar("recordings", len(rows)) as bar:
        reasons = pool.map(lambda row: _fetch_file(row, folder), rows)
        for row, reason in zip(rows, reasons, strict=True):
            lost += [(row.file, reason)] if reason else []
            bar.update()
    if len(lost) == len(manifest):
        raise ConnectionError(f"none of {len(lost)} files could be downloaded: {lost[0][1]}")
    return lost


def _fetch_file(row, folder):
    """Download one file of a manifest; None, or in words why there is none."""
    import pooch

    url = f"{_GITHUB}/{row.repository}/{row.commit}/{quote(row.path)}"
    target = (folder / row.file).resolve()
    if not target.is_relative_to(folder.resolve()):
        return "its name leads out of the folder"
    try:
        with files.atomic(target) as part:
            with _Limited(part, _MOST_OF_A_FILE) as file:
                pooch.HTTPDownloader(timeout=(_SECONDS, _SILENCE))(url, file, None)
            if files.digest(part) != row.sha256:
                raise ConnectionError("what its address gives today is another file")
    except Exception as error:  # one file that is gone must not cost the others
        return _first_line(error)
    return None


class _Limited(io.FileIO):
    """A file to be written that refuses to grow beyond a number of bytes."""

    def __init__(self, path, most):
        super().__init__(path, "w")
        self.most = most

    def write(self, content):
        """Write bytes; ConnectionError where they are too many."""
        if self.tell() + len(content) > self.most:
            raise ConnectionError(f"more than {self.most / 1e6:,.0f} MB were sent")
        return super().write(content)


def _is(path, sha256):
    return path.is_file() and files.digest(path) == sha256


def _bar(name, total, **options):
    """A bar of progress, where somebody can see it."""
    from tqdm import auto, notebook

    seen = sys.stderr.isatty() or issubclass(auto.tqdm, notebook.tqdm)
    return auto.tqdm(desc=name, total=total, leave=False, disable=not seen, **options)


def _checksum(paths: list[Path], by: str = "sha256") -> str:
    """The digest of one file; of several, the sha256 of the sorted list of theirs.

    Whatever the files are called and wherever they lie, the same contents have the same checksum.
    """
    digests = sorted(files.digest(path, by) for path in paths)
    whole = "\n".join(digests).encode()
    return digests[0] if len(digests) == 1 else hashlib.sha256(whole).hexdigest()


def _check_connection(url: str, seconds: float | None = None) -> None:
    """Ask a host for any answer at all, and give up within seconds.

    Args:
        url: of anything on that host.
        seconds: to wait, the look-up of the host's name included, which may hang as well.

    Raises:
        ConnectionError: no answer.
    """
    seconds = _SECONDS if seconds is None else seconds
    host = urljoin(url, "/")
    problem = [f"no answer within {seconds:g} s"]

    def ask():
        try:
            request = urllib.request.Request(host, method="HEAD")
            urllib.request.urlopen(request, timeout=seconds).close()
            problem.clear()
        except urllib.error.HTTPError:
            problem.clear()  # even a refusal shows that the host is reached
        except (OSError, ValueError) as error:
            problem[:] = [_first_line(getattr(error, "reason", error))]

    thread = threading.Thread(target=ask, daemon=True)  # a name look-up knows no time limit
    thread.start()
    thread.join(seconds)
    if problem:
        name = urllib.request.Request(host).host
        raise ConnectionError(f"{name} cannot be reached ({problem[0]})")


def _stream(download, path):
    """Write what the address sends to a file, with a bar where somebody can see it."""
    import pooch

    # the total becomes known with the answer; until then pooch must not take the bar for empty
    with _bar(download.name, 1, unit="B", unit_scale=True) as bar:
        seen = None if bar.disable else bar
        get = pooch.HTTPDownloader(progressbar=seen, chunk_size=2**16, timeout=(_SECONDS, _SILENCE))
        with _Limited(path, _MOST) as file:
            get(download.url, file, None)


def _unpack(archive, folder):
    """Unpack into a folder, and nowhere else; what would be too large is not begun.

    zipfile strips what leads out of the folder, tarfile's filter refuses it, links and devices
    too; neither writes more of a file than its header states.
    """
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as packed:
            _check_room((one.size for one in packed), folder)
            packed.extractall(folder, filter="data")
    else:
        with zipfile.ZipFile(archive) as packed:
            _check_room((one.file_size for one in packed.infolist()), folder)
            packed.extractall(folder)


def _check_room(sizes, folder):
    """Refuse what is beyond the limit or the disk, as soon as a sum of sizes shows it."""
    total, free = 0, shutil.disk_usage(folder.parent).free
    for size in sizes:
        total += size
        if total > min(_MOST, free):
            room = f"{min(_MOST, free) / 1e6:,.0f} MB"
            raise ConnectionError(f"unpacked it has more than the {room} that there is room for")


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
