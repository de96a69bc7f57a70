"""From the names of folders and files to labels and splits."""

import os
import re
from pathlib import Path

import pandas as pd

from helpers import files
from helpers.audio import FORMATS

MANIFEST = "manifest.csv"
_STATED = [
    "group",
    "kind",
    "fold",
    "source",
    "licence",
    "shares_audio_with",
]  # what a manifest may say besides

_SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "train",
    "valid": "train",
    "validation": "train",
    "test": "test",
    "testing": "test",
}
_LABELS = {"cats": "cat", "dogs": "dog"}
_OTHER_AUDIO = {".m4a", ".aac", ".mp4", ".webm", ".wma", ".aif", ".aiff", ".opus", ".amr", ".caf"}


def scan(folder, unlabelled=None):
    """List a folder's clips with their labels, and the split where the folder states one.

    Understands class folders (`bird/`, `rain/`) with or without `train/` and `test/` above them,
    and `train_test_split.csv`, whose columns such as `test_cat` go before the folder names.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        folder: path of the recordings.
        unlabelled: the label of clips that lie in no class folder; by default they are left out.

    Returns:
        table: DataFrame indexed by the clip's path below the folder; columns path, label, split
            (None where nothing states it).
        findings: list of (clip, what is wrong) for files left out, and for what is noteworthy.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: the folder holds no clip that can be read, or only one class where clips
            need a label.
    """
    folder = Path(folder).expanduser().resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder of recordings at {folder}: check the path")
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not _hidden(p, folder))
    stated, findings = _read_split_csv(folder)
    rows = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() in _OTHER_AUDIO:
            findings.append((name, "left out: convert it to WAV, FLAC, OGG or MP3"))
        if path.suffix.lower() not in FORMATS:
            continue
        label, split = _from_folders(path, folder)
        if stated:
            if path.name not in stated:
                findings.append((name, "left out: train_test_split.csv does not name it"))
                continue
            by_folder, (split, csv_label) = (split, label), stated[path.name]
            if label and by_folder != (split, csv_label):
                said = "/".join(part or "no split" for part in by_folder)
                findings.append((name, f"its folder says {said}; train_test_split.csv is followed"))
            label = csv_label
        label = label or unlabelled
        if not label:
            findings.append((name, "left out: it lies in no class folder, so it has no label"))
            continue
        rows[name] = {"path": str(path), "label": label, "split": split}
    present = {Path(name).name for name in rows}
    findings += [
        (name, "missing: train_test_split.csv names it") for name in stated if name not in present
    ]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["path", "label", "split"])
    if table.empty:
        raise ValueError(
            f"no labelled WAV, FLAC, OGG or MP3 below {folder}: put each class into a folder of "
            f"its own, such as cat/ and dog/, and name the one above them{_first(findings)}"
        )
    if table.label.nunique() < 2 and unlabelled is None:
        raise ValueError(
            f"only one class, {table.label.iloc[0]!r}, below {folder}: a classifier needs two"
        )
    return table.rename_axis("clip"), findings


def from_manifest(folder):
    """List the clips that a folder's manifest.csv states; it goes before the folders' names.

    Args:
        folder: path of the recordings, with a manifest.csv: columns file (path below the folder)
            and label; and, where it has them, split, group (recording), kind, fold, source or
            repository, licence, shares_audio_with (names of clips of other sources, without
            ending, joined by ;), and sha256, which the file must then have.

    Returns:
        table, findings: as scan; table with the columns besides that the manifest has.

    Raises:
        ValueError: the manifest is no table, lacks a column, or none of its files is there.
    """
    folder = Path(folder).expanduser().resolve()
    stated = read_table(folder / MANIFEST, "file", "label").dropna(subset="file")
    if "source" not in stated and "repository" in stated:
        stated["source"] = stated.repository
    twice = stated.drop_duplicates(["file", "label"]).file
    said = f"{MANIFEST} gives it two labels; the first is taken"
    findings, kept = [(name, said) for name in twice[twice.duplicated()]], []
    stated = stated.drop_duplicates("file").set_index("file").rename_axis("clip")
    stated["path"] = [str(folder / name) for name in stated.index]
    for row in stated.itertuples():
        if not Path(row.path).resolve().is_relative_to(folder):
            findings.append((row.Index, f"left out: it lies outside the folder of {MANIFEST}"))
        elif not os.path.isfile(row.path):
            findings.append((row.Index, f"missing: {MANIFEST} names it"))
        elif not isinstance(row.label, str):
            findings.append((row.Index, f"left out: {MANIFEST} states no label"))
        elif not _same(row):
            findings.append((row.Index, f"left out: not the file that {MANIFEST} names (sha256)"))
        else:
            kept.append(row.Index)
    table = stated.loc[kept]
    table["label"] = table.label.map(_label)
    split = table.get("split", pd.Series(None, table.index, dtype=object)).str.lower()
    table["split"] = split.map(_SPLIT_FOLDERS).astype(object)
    unknown = sorted(set(split.dropna()) - set(_SPLIT_FOLDERS))
    if unknown:
        findings.append((MANIFEST, f"no split: {', '.join(unknown)}; say train or test"))
    if table.empty:
        raise ValueError(f"none of the {len(stated)} files that {MANIFEST} names is in {folder}")
    columns = ["path", "label", "split"]
    return table[columns + [name for name in _STATED if name in table]], findings


def read_table(path, *columns):
    """A file of comma-separated values as text, with or without a byte order mark.

    Args:
        path: of the file.
        columns: that it must have.

    Raises:
        ValueError: it is no such table, or lacks a column.
    """
    try:
        # an empty field is missing, and nothing else: "None" and "NA" are names
        blank = {"keep_default_na": False, "na_values": [""]}
        table = pd.read_csv(path, dtype=str, encoding="utf-8-sig", skipinitialspace=True, **blank)
    except (ValueError, OSError) as error:  # pandas' own are of the first kind
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f"{path.name} is no CSV table in UTF-8 that can be read: {reason}"
        ) from None
    missing = set(columns) - set(table.columns)
    if missing:
        raise ValueError(f"{path.name} has no column {', '.join(sorted(missing))}")
    return table


def _same(row):
    """Whether a file has the checksum that its manifest's row states, where it states one."""
    stated = getattr(row, "sha256", None)
    return not isinstance(stated, str) or stated.lower() == files.digest(row.path)


def _hidden(path, folder):
    return any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)


def _label(name):
    return _LABELS.get(name.lower(), name)


def _from_folders(path, folder):
    """(label, split) as the folder names tell; the article's `test/test` holds its dogs."""
    parts = path.relative_to(folder).parts[:-1]
    if not parts:
        return None, None
    split = next((_SPLIT_FOLDERS[p.lower()] for p in parts if p.lower() in _SPLIT_FOLDERS), None)
    parent = parts[-1]
    if parent.lower() not in _SPLIT_FOLDERS:
        return _label(parent), split
    siblings = {p.name.lower() for p in path.parent.parent.iterdir() if p.is_dir()}
    odd = [p.lower() for p in parts[-2:]] == ["test", "test"] and siblings & {"cat", "cats"}
    return ("dog", split) if odd else (None, split)


def _read_split_csv(folder):
    """{file name: (split, label)} from train_test_split.csv, with findings; empty without one."""
    found = sorted(path for path in folder.rglob("train_test_split.csv") if path.is_file())
    if not found:
        return {}, []
    table = read_table(found[0])
    stated, findings = {}, []
    for column in table.columns:
        match = re.fullmatch(r"(train|test)_(\w+)", str(column))
        if not match:
            continue
        for name in table[column].dropna():
            name = Path(str(name)).name
            entry = (match[1], _label(match[2]))
            if stated.setdefault(name, entry) != entry:
                findings.append((name, "train_test_split.csv names it twice; the first is taken"))
    if not stated:
        findings.append((found[0].name, "ignored: no columns such as train_cat, test_cat"))
    return stated, findings


def _first(findings):
    return f" ({findings[0][0]}: {findings[0][1]})" if findings else ""
