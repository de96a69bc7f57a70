"""Read and write wherever fsspec reaches: a path, s3://, gs://, hf://; whole files or none."""

import os
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from helpers import files

# as files.atomic names what it writes, of results and of parts
_REST = re.compile(
    r"\.(report|catalog|predictions|pairs|[0-9a-f-]+)-[0-9a-f]{8}\.(parquet|tfrecord)\.lock"
)
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs",
             "hf": "huggingface_hub"}  # fmt: skip
_ODD = 8  # clips of a part that cannot be fetched: as many may be odd ones


def place(url):
    """File system and path of a URL; what has no :// is a path, whatever else its name holds.

    Raises:
        ValueError: there is no such protocol, or its package is not installed.
    """
    if "://" in str(url):
        try:
            return fsspec.url_to_fs(str(url))
        except ImportError as error:
            protocol = str(url).partition("://")[0]
            package = _PACKAGES.get(protocol)
            do = f"pip install {package}" if package else error
            raise ValueError(
                f"{protocol}:// cannot be reached yet: {do}, here and on every worker"
            ) from error
    return LocalFileSystem(), LocalFileSystem._strip_protocol(str(url))


def _opened(url):
    """A file anywhere, to be read."""
    fs, path = place(url)
    return fs.open(path)


def is_local(url):
    """Whether a URL is a path of this machine."""
    return isinstance(place(url)[0], LocalFileSystem)


def folder(url):
    """A folder's URL as all workers understand it: a whole path, if it lies on this machine."""
    if is_local(url):
        return str(Path(place(url)[1]).resolve())
    return url.rstrip("/")


def exists(url):
    fs, path = place(url)
    fs.invalidate_cache()
    return fs.exists(path)


def listed(url):
    """Names of the files in a folder, without those that are being written: a set."""
    fs, path = place(url)
    fs.invalidate_cache()
    names = (Path(name).name for name in fs.find(path))
    return {name for name in names if not name.startswith(".")}


@contextmanager
def writing(url, again=False):
    """Write one file whole or not at all, and only if nobody else was faster.

    Args:
        url: of the file.
        again: take the place of the one that is there.

    Yields:
        a path of this machine to write to. On a disk the file is renamed into its place; an object
        store shows it when it has come whole.
    """
    if is_local(url):
        path = Path(place(url)[1])
        with files.atomic(path, keep=None if again else path.exists) as part:
            yield part
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        yield part
        if again or not exists(url):
            fs, path = place(url)
            fs.put_file(str(part), path)


def remove_rests(url):
    """Remove what killed workers left half-written among a run's results, an hour ago or longer.

    Nobody else's files, nor those of a writer that lives: it holds its lock, or wrote just now.
    """
    if is_local(url):
        out = Path(place(url)[1])
        for lock in [*out.glob(".*.lock"), *out.glob("parts/*/.*.lock")]:
            part, ours = lock.with_suffix(""), _REST.fullmatch(lock.name)
            with suppress(filelock.Timeout, OSError):
                written = (part if part.exists() else lock).stat().st_mtime
                if ours and time.time() - written > 3600:
                    with filelock.FileLock(lock, blocking=False):
                        part.unlink(missing_ok=True)
                        lock.unlink(missing_ok=True)


@contextmanager
def local_copies(urls):
    """Paths of this machine for some files, fetched side by side where they lie elsewhere.

    Args:
        urls: of files.

    Yields:
        paths: a list; of a file that cannot be had, one where nothing is.
        why: a list: None, or why a file cannot be had, where its path does not show that.

    Raises:
        OSError: more than a few fetches failed: the place is away, and the task worth another try.
    """

    def fetch(fs, path, local):
        Path(local).parent.mkdir()
        try:
            fs.get_file(path, local)
        except Exception as error:  # what came is half a file
            Path(local).unlink(missing_ok=True)
            return error
        return None

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(16) as pool:
        paths, why, jobs = [], [], {}
        for i, url in enumerate(map(str, urls)):
            path, reason = "", None
            try:
                fs, path = place(url)
                if not isinstance(fs, LocalFileSystem):
                    there, path = path, os.path.join(folder, str(i), os.path.basename(path))
                    jobs[i] = pool.submit(fetch, fs, there, path)
            except Exception as error:  # no such protocol, or its package is not installed
                known = isinstance(error, ValueError)
                reason = str(error) if known else f"{type(error).__name__}: {error}"
            paths.append(path)
            why.append(reason)
        failed = {i: job.result() for i, job in jobs.items() if job.result()}
        away = [error for error in failed.values() if _is_passing(error)]
        if len(away) > _ODD:
            raise OSError(f"{len(away)} of {len(paths)} fetches failed: {away[0]}") from away[0]
        for i, error in failed.items():
            if not isinstance(error, (FileNotFoundError, PermissionError)):
                why[i] = f"it could not be fetched ({type(error).__name__}: {error})"
        yield paths, why


def _is_passing(error):
    """Whether a fetch failed for what another try may find mended."""
    lasting = (FileNotFoundError, PermissionError)
    return isinstance(error, OSError) and not isinstance(error, lasting)


def write(url, table, bucket=None, buckets=1, about=None):
    """Write a DataFrame as Parquet: one row group, or one a bucket.

    Args:
        url: of the file.
        table: DataFrame.
        bucket: int, shape (rows,): where each row belongs.
        buckets: their number.
        about: a text that `about` gives back; a file that is there is written anew.
    """
    schema = pa.Schema.from_pandas(table, preserve_index=False)
    schema = schema.with_metadata({**(schema.metadata or {}), b"about": (about or "").encode()})
    with writing(url, about is not None) as part, pq.ParquetWriter(part, schema) as writer:
        for k in range(buckets):
            rows = table if bucket is None else table[bucket == k]
            rows = pa.Table.from_pandas(rows, schema, preserve_index=False)
            writer.write_table(rows, row_group_size=max(1, len(rows)))


def about(url):
    """The text that `write` was given for this file; None if there is no such file."""
    try:
        with _opened(url) as file:
            return pq.read_metadata(file).metadata[b"about"].decode()
    except FileNotFoundError:
        return None


def read(urls, bucket=None):
    """Read Parquet files, or of each the rows of one bucket, one below the other: a DataFrame."""

    def one(url):
        with _opened(url) as file:
            parquet = pq.ParquetFile(file)
            got = parquet.read() if bucket is None else parquet.read_row_group(bucket)
            return got.to_pandas()

    with ThreadPoolExecutor(8) as pool:
        return pd.concat(pool.map(one, urls), ignore_index=True)
