"""From the names of folders and files to labels and splits."""

import re
from pathlib import Path

import pandas as pd

from helpers.audio import FORMATS

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


def scan(folder):
    """List a folder's clips with their labels, and the split where the folder states one.

    Understands class folders (`bird/`, `rain/`) with or without `train/` and `test/` above them,
    and `train_test_split.csv`, whose columns such as `test_cat` go before the folder names.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        folder: path of the recordings.

    Returns:
        table: DataFrame indexed by the clip's path below the folder; columns path, label, split
            (None where nothing states it).
        findings: list of (clip, what is wrong) for files left out, and for what is noteworthy.

    Raises:
        FileNotFoundError: no such folder.
        ValueError: the folder holds no clip that can be read, or only one class.
    """
    folder = Path(folder).expanduser().resolve()
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder of recordings at {folder}: check the path")
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not _hidden(p, folder))
    stated, findings = _read_split_csv(folder)
    rows = {}
    for path in files:
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
            f"its own, such as cat/ and dog/{_first(findings)}"
        )
    if table.label.nunique() < 2:
        raise ValueError(
            f"only one class, {table.label.iloc[0]!r}, below {folder}: a classifier needs two"
        )
    return table.rename_axis("clip"), findings


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
    found = sorted(folder.rglob("train_test_split.csv"))
    if not found:
        return {}, []
    table = pd.read_csv(found[0])
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
