"""Which clips: a table or a folder, dealt into parts that keep their names."""

import hashlib
import warnings

import pandas as pd

from helpers import audio

_NAMES = "path", "label"  # may be such a word; elsewhere it says that nothing is known
_MISSING = "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>"


def read(url):
    """Read the table of clips.

    Args:
        url: of a CSV or Parquet file with a column path; label, group and split where they are
            known, and version if files may change; or of a folder with one folder a class. A path
            that is not absolute is meant from the table's folder. NA or null in a CSV file says
            that nothing is known, but as a label it is a name, with a warning.

    Returns:
        DataFrame, one row a clip: path, what the table says besides, and of a folder each file's
        size and version, so that a file that was changed is read anew.

    Raises:
        ValueError: there is no such column, no clip, or a clip stands there twice.
    """
    from helpers.datasets.large import store  # needs pyarrow, which lesson 10 does without

    fs, path = store.place(url)
    if str(path).endswith((".csv", ".parquet")):
        with fs.open(path) as file:
            csv = path.endswith(".csv")
            clips = _csv(file) if csv else pd.read_parquet(file)
        if "path" not in clips:
            raise ValueError(f"{url} has no column path: it has {', '.join(map(str, clips))}")
        folder = fs.unstrip_protocol(path).rsplit("/", 1)[0]
        clips["path"] = [_absolute(str(one), folder) for one in clips.path]
    else:
        clips = _folder(fs, path)
    if clips.empty:
        raise ValueError(f"{url} holds no clip")
    if clips.path.duplicated().any():
        raise ValueError(f"{clips.path[clips.path.duplicated()].iloc[0]} stands twice in {url}")
    return clips.reset_index(drop=True)


def parts(clips, size):
    """Deal a table into parts of so many clips, in order.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        clips: DataFrame as from read.
        size: clips a part.

    Returns:
        list of (name, DataFrame); a name changes with the part's place and with its clips' path,
        bytes and version, as far as the table has those, but not with their labels. Clips that
        are added at the end leave all parts but the last one as they were; one that is added
        before others, as a new file in a folder often is, moves all that follow.

    Raises:
        ValueError: size is below 1.
    """
    if size < 1:
        raise ValueError(f"a part holds 1 clip or more, not {size}")
    cut = [clips.iloc[start : start + size] for start in range(0, len(clips), size)]
    told = clips.columns.intersection(["path", "bytes", "version"])
    digests = [hashlib.sha256(part[told].to_csv().encode()).hexdigest() for part in cut]
    return [(f"{i:06}-{digest[:16]}", part) for i, (digest, part) in enumerate(zip(digests, cut))]


def _csv(file):
    names = pd.read_csv(file, nrows=0).columns
    file.seek(0)
    missing = {name: [""] if name in _NAMES else ["", *_MISSING] for name in names}
    clips = pd.read_csv(file, keep_default_na=False, na_values=missing)
    words = clips["label"].isin(_MISSING) if "label" in clips else pd.Series(dtype=bool)
    if words.any():
        which = ", ".join(sorted(set(clips.label[words])))
        warnings.warn(
            f"{words.sum():,} clips are labelled {which}, which is taken for a class's name; "
            "leave the label empty where none is known",
            stacklevel=3,
        )
    return clips


def _absolute(path, folder):
    if "://" in path or path.startswith("/") or path[1:2] == ":":
        return path
    return f"{folder}/{path}".removeprefix("file://")


def _folder(fs, root):
    rows = []
    for path, about in sorted(fs.find(root, detail=True).items()):
        below = path.removeprefix(str(root)).strip("/").split("/")
        if path.lower().endswith(audio.FORMATS) and len(below) > 1:
            url = fs.unstrip_protocol(path).removeprefix("file://")
            # a name that is not UTF-8 is not in any table: its odd bytes stand there as \udcff,
            # and the report has a row about it
            url, label = (s.encode("utf-8", "backslashreplace").decode() for s in (url, below[-2]))
            version = next((about[k] for k in ("ETag", "etag", "mtime") if k in about), "")
            rows.append((url, label, about["size"], str(version)))
    return pd.DataFrame(rows, columns=["path", "label", "bytes", "version"])
