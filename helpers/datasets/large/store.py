"""Read and write wherever fsspec reaches: a path, s3://, gs://, hf://; whole files or none."""

import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem

from helpers import files


def is_local(url):
    """Whether a URL is a path of this machine."""
    return isinstance(fsspec.url_to_fs(url)[0], LocalFileSystem)


def folder(url):
    """A folder's URL as all workers understand it: a whole path, if it lies on this machine."""
    if is_local(url):
        return str(Path(fsspec.url_to_fs(url)[1]).resolve())
    return url.rstrip("/")


def exists(url):
    fs, path = fsspec.url_to_fs(url)
    fs.invalidate_cache()
    return fs.exists(path)


def listed(url):
    """Names of the files in a folder, without those that are being written: a set."""
    fs, path = fsspec.url_to_fs(url)
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
        path = Path(fsspec.url_to_fs(url)[1])
        with files.atomic(path, keep=None if again else path.exists) as part:
            yield part
        return
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        yield part
        if again or not exists(url):
            fs, path = fsspec.url_to_fs(url)
            fs.put_file(str(part), path)


def remove_rests(url):
    """Remove what killed workers left half-written in a folder: files older than an hour."""
    if is_local(url):
        for rest in Path(fsspec.url_to_fs(url)[1]).rglob(".*-????????.*"):
            if rest.is_file() and time.time() - rest.stat().st_mtime > 3600:
                rest.unlink(missing_ok=True)


@contextmanager
def local_copies(urls):
    """Paths of this machine for some files, fetched side by side where they lie elsewhere.

    Args:
        urls: of files.

    Yields:
        list of paths; of a file that is not there, or may not be read, one where nothing is.

    Raises:
        OSError: a fetch failed for another reason, so that the task is worth another try.
    """

    def fetch(fs, path, local):
        Path(local).parent.mkdir()
        try:
            fs.get_file(path, local)
        except (FileNotFoundError, PermissionError):  # the report has a row about it
            Path(local).unlink(missing_ok=True)

    with tempfile.TemporaryDirectory() as folder:
        paths, wanted = [], {}
        for i, url in enumerate(urls):
            fs, path = fsspec.url_to_fs(str(url))
            if not isinstance(fs, LocalFileSystem):
                wanted.setdefault(id(fs), (fs, []))[1].append((path, i))
                path = os.path.join(folder, str(i), os.path.basename(path))
            paths.append(path)
        for fs, asked in wanted.values():
            with ThreadPoolExecutor(16) as pool:
                jobs = [pool.submit(fetch, fs, path, paths[i]) for path, i in asked]
            for job in jobs:
                job.result()
        yield paths


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
        with fsspec.open(url) as file:
            return pq.read_metadata(file).metadata[b"about"].decode()
    except FileNotFoundError:
        return None


def read(urls, bucket=None):
    """Read Parquet files, or of each the rows of one bucket, one below the other: a DataFrame."""

    def one(url):
        with fsspec.open(url) as file:
            opened = pq.ParquetFile(file)
            got = opened.read() if bucket is None else opened.read_row_group(bucket)
            return got.to_pandas()

    with ThreadPoolExecutor(8) as pool:
        return pd.concat(pool.map(one, urls), ignore_index=True)
