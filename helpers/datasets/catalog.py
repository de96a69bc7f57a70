"""The catalog of clips, one row a clip, from whichever source: synthetic, Kaggle's, or a folder."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from helpers import audio, files, splits
from helpers.datasets import downloads, folders, synthetic

_DATA = files.ROOT / "data"
_CHOICES = '"auto", "synthetic", "kaggle" or the path of a folder of recordings'

_COLUMNS = [
    "path",
    "label",
    "split",
    "group",
    "duration",
    "sample_rate",
    "channels",
    "source",
    "licence",
]
_LICENCES = {
    "synthetic": "CC0-1.0",
    "kaggle": downloads.RECORDINGS.licence,
}


def load(source="auto", *, seed=0, data=_DATA, quiet=False):
    """Give a catalog of clips, and print which recordings were taken and why.

    A source named by the caller is loaded or is an error. `"auto"` follows the environment
    variable DATASET where that is set; else it takes recordings already on disk, else Kaggle's,
    else synthetic ones.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        source: "auto", "synthetic", "kaggle" or the path of a folder.
        seed: of the split, where the recordings come without one.
        data: folder in which downloaded and synthetic recordings are kept.
        quiet: print nothing.

    Returns:
        DataFrame indexed by clip (path below the folder), sorted; columns path, label, split
        ("train" or "test"), group (clips of one group share audio), duration (seconds),
        sample_rate (Hz), channels, source, licence. `.attrs["findings"]` lists what was left out
        or is noteworthy.

    Raises:
        ValueError: no such source, or nothing usable in it; the message lists the choices.
        FileNotFoundError: no such folder.
        ConnectionError: Kaggle cannot be reached.
    """
    name, folder, why = _choose(source, Path(data))
    clips = _read(folder, name, seed)
    if not quiet:
        print(_banner(clips, name, why))
    return clips


def validate(clips):
    """Decode every clip and say in words what is wrong with any of them.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        clips: a catalog, or any DataFrame with a column path.

    Returns:
        kept: the clips that can be used.
        findings: DataFrame (file, finding), one row a problem. "left out: ..." marks a clip that
            is missing, unreadable or empty; silent, clipped and byte-identical clips stay.
    """
    findings, seen, lost = list(clips.attrs.get("findings", [])), {}, []
    for clip, path in clips.path.items():
        try:
            waveform, _ = audio.load(path, sample_rate=None)
        except audio.AudioError as error:
            findings.append((clip, _left_out(error)))
            lost.append(clip)
            continue
        peak = np.abs(waveform).max()
        if peak < 1e-4:
            findings.append((clip, "silent: no sample above -80 dB"))
        elif np.mean(np.abs(waveform) >= 0.999) > 1e-3:
            findings.append((clip, "clipped: over 0.1 % of its samples at full scale"))
        digest = files.digest(path)
        if digest in seen:
            findings.append((clip, f"byte-identical to {seen[digest]}"))
        seen.setdefault(digest, clip)
    kept = clips.drop(index=lost)
    table = pd.DataFrame(list(dict.fromkeys(findings)), columns=["file", "finding"])
    return kept, table


def classes(clips):
    """The labels in the order of their ids: sorted, so that cat is 0 and dog is 1."""
    return sorted(clips.label.unique())


def label_ids(clips, names=None):
    """Label ids of a catalog's clips: int64, shape (clips,); cat is 0 and dog 1.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        clips: a catalog.
        names: the labels in the order of their ids; by default those of these clips.

    Raises:
        ValueError: a clip has a label that names does not hold.
    """
    names = classes(clips) if names is None else names
    unknown = sorted(set(clips.label) - set(names))
    if unknown:
        raise ValueError(f"unknown label {', '.join(unknown)}: the labels are {', '.join(names)}")
    return np.array([names.index(label) for label in clips.label], np.int64)


def fingerprint(clips):
    """A short name for exactly these clips: changes with any file's content, label, split or group.

    The folder that they lie in and their order do not count.

    Taught in notebooks/03_data_pipeline.ipynb.

    Returns:
        8 hexadecimal digits.
    """
    facts = clips[["label", "split", "group"]].assign(content=clips.path.map(files.digest))
    return hashlib.sha256(facts.sort_index().to_csv().encode()).hexdigest()[:8]


def _choose(source, data):
    """(name, folder, why) for a source."""
    asked = str(source).strip()
    why = f"asked for with DATASET = {asked!r}" if asked in ("synthetic", "kaggle") else "a folder"
    if asked == "auto" and os.environ.get("DATASET", "").strip() not in ("", "auto"):
        asked = os.environ["DATASET"].strip()
        why = "asked for by the environment variable DATASET"
    if asked == "synthetic":
        return "synthetic", synthetic.make_dataset(data / "synthetic"), why
    on_disk = data / "audio-cats-and-dogs"
    if asked in ("kaggle", "auto") and on_disk.is_dir():
        return "kaggle", on_disk, "already on disk" if asked == "auto" else why
    if asked == "kaggle":
        try:
            return "kaggle", downloads.fetch(downloads.RECORDINGS, on_disk), why
        except ConnectionError as error:
            raise ConnectionError(f"{error}: try again, or choose another of {_CHOICES}") from error
    if asked == "auto":
        try:
            return "kaggle", downloads.fetch(downloads.RECORDINGS, on_disk), "downloaded just now"
        except Exception as error:  # auto must end with data, whatever a network does
            folder = synthetic.make_dataset(data / "synthetic")
            return "synthetic", folder, f"no recordings on disk, and {error}"
    folder = Path(asked).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"DATASET {asked!r} is no folder that can be found here: choose {_CHOICES}"
        )
    return folder.resolve().name, folder, why


def _read(folder, name, seed):
    table, findings = folders.scan(folder)
    table, more = _read_facts(table)
    findings += more
    if table.empty:
        raise ValueError(f"none of the clips of {name} can be read: {findings[:3]}")
    clips = table.assign(
        group=_groups(table, Path(folder)),
        source=name,
        licence=_LICENCES.get(name, "not stated: see where the recordings came from"),
    )
    stated = clips.split.dropna()
    if stated.nunique() < 2:
        clips["split"] = np.where(splits.hold_out(clips, 0.25, seed), "test", "train")
        findings.append(("all clips", "no split is stated, so one was made by group: 75 % train"))
    elif len(stated) < len(clips):
        findings += [
            (clip, "left out: it lies in neither train nor test")
            for clip in clips.index[clips.split.isna()]
        ]
        clips = clips.dropna(subset="split")
    clips = clips[_COLUMNS].sort_index()
    clips.attrs["findings"] = findings
    return clips


def _read_facts(table):
    """Decode every clip once: add its facts, or leave it out and say why."""
    facts, findings = {}, []
    for clip, path in table.path.items():
        try:
            waveform, rate = audio.load(path, sample_rate=None)
        except audio.AudioError as error:
            findings.append((clip, _left_out(error)))
            continue
        facts[clip] = (len(waveform) / rate, rate, soundfile.info(path).channels)
    columns = ["duration", "sample_rate", "channels"]
    facts = pd.DataFrame.from_dict(facts, orient="index", columns=columns)
    return table.join(facts, how="inner").rename_axis("clip"), findings


def _left_out(error):
    """The finding that an AudioError makes; its file's name stands beside it already."""
    return f"left out: {str(error).split(': ', 1)[-1]}"


def _groups(table, folder):
    """Recording of each clip: as stated in recordings.csv, else from the audio they share."""
    stated = folder / "recordings.csv"
    if stated.is_file():
        recording = pd.read_csv(stated).set_index("file").recording
        if table.index.isin(recording.index).all():
            return recording[table.index].to_numpy()
    return splits.groups(table, splits.shared_audio(table))


def _banner(clips, name, why):
    counts = ", ".join(f"{n} {label}" for label, n in clips.label.value_counts().items())
    left_out = sum("left out" in text or "missing" in text for _, text in clips.attrs["findings"])
    note = f"; {left_out} files left out or missing, see datasets.validate" if left_out else ""
    other = "" if why == "a folder" else f"\n  Another: set DATASET to {_CHOICES}."
    return (
        f"Dataset: {name}, {len(clips)} clips ({counts}), {clips.duration.sum() / 60:.0f} min"
        f"{note}\n  Taken: {why}.{other}"
    )
