"""The catalog of clips, one row a clip, from whichever source: synthetic, Kaggle's, or a folder."""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import audio, cache, files, splits
from helpers.datasets import downloads, folders, synthetic

_DATA = files.ROOT / "data"
_CHOICES = (
    '"auto", "synthetic", "kaggle", "elsewhere", "esc50", several joined by +, '
    "or the path of a folder of recordings"
)
KAGGLE = "audio-cats-and-dogs"  # the source of Kaggle's recordings, also in a copy of their folder
OTHER = "other"  # the label of whatever is of no class: a model of such answers "neither"
_NAMED = ("synthetic", "synthetic-elsewhere", "synthetic-five", "kaggle", "elsewhere", "esc50")
_MANIFEST = files.ROOT / "data" / "elsewhere.csv"
_MANY = 50  # clips: which of fewer share audio is found in a second

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
    KAGGLE: downloads.RECORDINGS.licence,
}


def load(source="auto", *, seed=0, data=_DATA, quiet=False, unlabelled=None):
    """Give a catalog of clips, and print which recordings were taken and why.

    A source named by the caller is loaded or is an error. `"auto"` follows the environment
    variable DATASET where that is set; else it takes recordings already on disk, else Kaggle's,
    else synthetic ones.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        source: "auto"; "synthetic", or "synthetic-elsewhere", made of other animals and places
            and other sounds; "synthetic-five", five classes as learners record them; "kaggle";
            "elsewhere", dogs, cats and other sounds from public
            repositories; "esc50", or some of its classes, such as "esc50:dog,cat,rain"; the path
            of a folder; or several of these, such as "kaggle+elsewhere".
        seed: of the split, where the recordings come without one.
        data: folder in which downloaded and synthetic recordings are kept.
        quiet: print nothing.
        unlabelled: the label of a folder's clips that lie in no class folder; by default such
            clips are left out. With it one class is enough.

    Returns:
        DataFrame indexed by clip (path below the folder), sorted; columns path, label, split
        ("train" or "test"), group (clips of one group share audio), duration (seconds),
        sample_rate (Hz), channels, source, licence; where the recordings state them, kind and
        fold. Of several sources, each clip's name begins with its source's, and clips of two
        that share audio are one group. `.attrs["findings"]` lists what was left out or is
        noteworthy.

    Raises:
        ValueError: no such source, or nothing usable in it; the message lists the choices.
        FileNotFoundError: no such folder.
        ConnectionError: what was to be downloaded cannot be.
    """
    asked, stated = str(source).strip(), os.environ.get("DATASET", "").strip()
    by_variable = asked == "auto" and stated not in ("", "auto")
    asked = [stated if by_variable else asked]
    if not Path(asked[0]).expanduser().is_dir():
        asked = asked[0].split("+")
    parts = []
    for one in asked:
        name, folder, why = _choose(one, Path(data))
        if by_variable:
            why = "asked for by the environment variable DATASET"
        parts.append(_read(folder, name, seed, unlabelled))
        if not quiet:
            print(_banner(parts[-1], name, why))
    return parts[0] if len(parts) == 1 else joined(parts)


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
            findings.append((clip, _left_out(path, error)))
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
        ValueError: a clip has no label, or one that names does not hold.
    """
    unlabelled = clips.index[clips.label.isna()]
    if len(unlabelled):
        raise ValueError(f"{len(unlabelled)} clips have no label, first {unlabelled[0]}")
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
    asked, _, labels = asked.partition(":") if asked.startswith("esc50:") else (asked, "", "")
    why = "asked for by name" if asked in _NAMED else "a folder"
    if asked == "synthetic":
        return "synthetic", synthetic.make_dataset(data / "synthetic"), why
    if asked == "synthetic-elsewhere":
        return asked, synthetic.make_elsewhere(data / asked), why
    if asked == "synthetic-five":
        return asked, synthetic.make_five(data / asked), why
    if asked in ("elsewhere", "esc50"):
        return f"{asked}:{labels}".rstrip(":"), _downloaded(asked, data), why
    on_disk = data / KAGGLE
    if asked in ("kaggle", "auto") and on_disk.is_dir():
        return KAGGLE, on_disk, "already on disk" if asked == "auto" else why
    if asked == "kaggle":
        try:
            return KAGGLE, downloads.fetch(downloads.RECORDINGS, on_disk), why
        except ConnectionError as error:
            raise ConnectionError(f"{error}: try again, or choose another of {_CHOICES}") from error
    if asked == "auto":
        try:
            return KAGGLE, downloads.fetch(downloads.RECORDINGS, on_disk), "downloaded just now"
        except Exception as error:  # auto must end with data, whatever a network does
            folder = synthetic.make_dataset(data / "synthetic")
            return "synthetic", folder, f"no recordings on disk, and {error}"
    folder = Path(asked).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"DATASET {asked!r} is no folder that can be found here: choose {_CHOICES}"
        )
    return folder.resolve().name, folder, why


def _downloaded(name, data):
    """The folder of recordings from elsewhere, or of ESC-50, with a manifest.csv written last."""
    folder, manifest = data / name, data / name / folders.MANIFEST
    if manifest.is_file() and name == "esc50":
        return folder
    stated = pd.read_csv(_MANIFEST)
    if manifest.is_file() and all((folder / file).is_file() for file in stated.file):
        return folder
    try:
        if name == "esc50":
            downloads.fetch(downloads.ESC50, folder)
            stated = _esc50(folder)
        else:
            for file, reason in downloads.fetch_files(stated, folder):
                print(f"left out, and tried again the next time: {file}: {reason}")
    except ConnectionError as error:
        if manifest.is_file():  # most are there
            return folder
        raise ConnectionError(f"{error}: try again, or choose another of {_CHOICES}") from error
    with files.atomic(manifest) as part:
        stated.to_csv(part, index=False)
    return folder


def _esc50(folder):
    """ESC-50's own table as a manifest: official folds, clips of one recording in one group.

    Raises:
        ConnectionError: the archive is not what its table says.
    """
    tables = list(folder.rglob("esc50.csv"))
    if not tables:
        raise ConnectionError("the archive holds no meta/esc50.csv")
    stated, sounds = pd.read_csv(tables[0]), tables[0].parent.parent / "audio"
    odd = [name for name in stated.filename if not _is_esc50(sounds / name)]
    if odd:
        raise ConnectionError(
            f"{len(odd)} of {len(stated)} clips are not as stated, first {odd[0]}"
        )
    return pd.DataFrame(
        {
            "file": [(sounds / name).relative_to(folder).as_posix() for name in stated.filename],
            "label": stated.category,
            "split": np.where(stated.fold == stated.fold.max(), "test", "train"),
            "fold": stated.fold,
            "group": [f"esc50-{recording}" for recording in stated.src_file],
            "source": "ESC-50",
            "licence": downloads.ESC50.licence,
        }
    )


def _is_esc50(path):
    """Whether a clip is what all of ESC-50 are: five seconds at 44,100 Hz."""
    try:
        return audio.about(path)[:2] == (220_500, 44_100)
    except audio.AudioError:
        return False


def joined(parts):
    """Several catalogs as one, in which clips that share audio are one group across them.

    Args:
        parts: catalogs as from load; each clip's name will begin with its own one's.

    Returns:
        a catalog.

    Raises:
        ValueError: two of them have one name.
    """
    names = [clips.attrs["name"] for clips in parts]
    if len(set(names)) < len(names):
        raise ValueError(f"two sources are called {max(names, key=names.count)}: rename a folder")
    named = []
    for clips in parts:
        name = clips.attrs["name"]
        group = [f"{name}/{group}" for group in clips.group]
        named.append(
            clips.assign(group=group).rename(index=lambda clip, name=name: f"{name}/{clip}")
        )
    clips = pd.concat(named).sort_index().rename_axis("clip")
    if "kind" in clips:
        clips["kind"] = clips.kind.fillna(clips.label)
    first = clips.reset_index().groupby("group").clip.transform("first")
    known = pd.DataFrame({"clip_a": first.to_numpy(), "clip_b": clips.index})
    found = _shared_audio(clips)
    clips["group"] = splits.groups(clips, pd.concat([known, found, _stated_pairs(parts)]))
    both = clips.groupby("group").split.transform("nunique") > 1
    clips.loc[both, "split"] = "train"  # a test clip that shares audio with training proves nothing
    findings = [
        (f"{one.attrs['name']}/{clip}", what)
        for one in parts
        for clip, what in one.attrs["findings"]
    ]
    if both.any():
        findings.append(("all clips", f"{both.sum()} of recordings on both sides are in training"))
    shares = {
        f"{one.attrs['name']}/{clip}": others
        for one in parts
        for clip, others in one.attrs.get("shares", {}).items()
    }
    clips.attrs |= {"name": "+".join(names), "findings": findings, "shares": shares}
    return clips


def with_background(clips, source):
    """A catalog and, as its class "other", what a second one holds of other kinds.

    What that one calls by the name of one of the classes, or lists as that kind, is left out; it
    is printed which kinds stay.

    Taught in notebooks/10_your_own_sounds.ipynb.

    Args:
        clips: a catalog.
        source: of other sounds, as load takes it; also a folder without class folders.

    Returns:
        a catalog.

    Raises:
        ValueError: nothing stays.
    """
    behind = load(source, unlabelled=OTHER)
    kind = behind.get("kind", behind.label)
    names = {name.casefold() for name in classes(clips)} - {OTHER}
    known = behind.label.str.casefold().isin(names) | kind.str.casefold().isin(names)
    if known.all():
        raise ValueError(f"{source} holds no other sounds than those of the classes themselves")
    print(
        f"Background: {(~known).sum()} clips as {OTHER!r}, {known.sum()} left out; kinds: "
        + ", ".join(sorted(set(kind[~known])))
    )
    return joined([clips, behind[~known].assign(kind=kind, label=OTHER)])


def _stated_pairs(parts):
    """Clips that a manifest says to share audio with one of another source, as pairs."""
    places = {
        Path(clip).stem: f"{clips.attrs['name']}/{clip}" for clips in parts for clip in clips.index
    }
    pairs = [
        (f"{clips.attrs['name']}/{clip}", places[other])
        for clips in parts
        for clip, others in clips.attrs.get("shares", {}).items()
        for other in others.split(";")
        if clip in clips.index and other in places
    ]
    return pd.DataFrame(pairs, columns=["clip_a", "clip_b"])


def _read(folder, name, seed, unlabelled):
    name, _, labels = name.partition(":")
    if (Path(folder) / folders.MANIFEST).is_file():
        table, findings = folders.from_manifest(folder)
    else:
        table, findings = folders.scan(folder, unlabelled)
    if labels:
        table = _only(table, labels.split(","))
    table, more = _read_facts(table)
    findings += more
    if table.empty:
        raise ValueError(f"none of the clips of {name} can be read: {findings[:3]}")
    clips = table.copy()
    if "group" not in clips:
        clips["group"] = _groups(table, Path(folder))
    if clips.group.isna().any():
        alone = clips.group.isna()
        clips.loc[alone, "group"] = [f"alone: {clip}" for clip in clips.index[alone]]
        findings.append(("all clips", f"{alone.sum()} have no group stated: each is its own"))
    for column, default in (
        ("source", name),
        ("licence", _LICENCES.get(name, "not stated: see where the recordings came from")),
    ):
        clips[column] = clips[column].fillna(default) if column in clips else default
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
    stated = [column for column in ("kind", "fold") if column in clips]
    clips = clips[_COLUMNS + stated].sort_index()
    clips.attrs["findings"], clips.attrs["name"] = findings, name
    if "shares_audio_with" in table:
        clips.attrs["shares"] = table.shares_audio_with.dropna().to_dict()
    return clips


def _only(table, labels):
    """The clips of some classes.

    Raises:
        ValueError: there is no such class; the message names those that there are.
    """
    unknown = sorted(set(labels) - set(table.label))
    if unknown:
        there = ", ".join(sorted(table.label.unique()))
        raise ValueError(f"no class {', '.join(unknown)}: there are {there}")
    return table[table.label.isin(labels)]


def _read_facts(table):
    """Decode every clip once: add its facts, or leave it out and say why."""
    facts, findings = {}, []
    for clip, path in table.path.items():
        try:
            waveform, rate = audio.load(path, sample_rate=None)
        except audio.AudioError as error:
            findings.append((clip, _left_out(path, error)))
            continue
        facts[clip] = (len(waveform) / rate, rate, audio.about(path)[2])
    columns = ["duration", "sample_rate", "channels"]
    facts = pd.DataFrame.from_dict(facts, orient="index", columns=columns)
    return table.join(facts, how="inner").rename_axis("clip"), findings


def _left_out(path, error):
    """The finding that an AudioError makes; its file's name stands beside it already."""
    return f"left out: {str(error).removeprefix(f'{Path(path).name}: ')}"


def _groups(table, folder):
    """Recording of each clip: as stated in recordings.csv, else from the audio they share."""
    stated = folder / "recordings.csv"
    if stated.is_file():
        stated = folders.read_table(stated, "file", "recording").drop_duplicates("file")
        recording = stated.set_index("file").recording
        if table.index.isin(recording.index).all():
            return recording[table.index].to_numpy()
    return splits.groups(table, _shared_audio(table))


def _shared_audio(clips):
    """Pairs of clips that share audio: clip_a, clip_b; of many clips found once, and kept.

    By the clips' content and the code, in a file of the runs' folder.
    """
    columns, path = ["clip_a", "clip_b"], None
    if len(clips) >= _MANY:
        with suppress(cache.Unkeyable):
            content = list(clips.path.map(files.digest))
            key = cache.key(splits.shared_audio, list(clips.index), content)
            path = files.runs() / "shared-audio" / f"{key}.json"
    if path:
        with suppress(OSError, ValueError):  # not there yet, or broken
            return pd.DataFrame(json.loads(path.read_text("utf-8")), columns=columns)
    pairs = splits.shared_audio(clips)[columns]
    if path:
        with suppress(OSError):  # what cannot be written is found anew the next time
            files.write_json(path, pairs.to_numpy().tolist())
    return pairs


def _banner(clips, name, why):
    counts = ", ".join(f"{n} {label}" for label, n in clips.label.value_counts().items())
    left_out = sum("left out" in text or "missing" in text for _, text in clips.attrs["findings"])
    note = f"; {left_out} files left out or missing, see datasets.validate" if left_out else ""
    choices = _CHOICES.replace(" several joined", "\n  several joined")
    other = "" if why == "a folder" else f"\n  Another: set DATASET to {choices}."
    if not name.startswith("synthetic"):
        other += "\n  A lesson's text reads what came out of the synthetic clips, not of these."
    return (
        f"Dataset: {name}, {len(clips)} clips ({counts}), {clips.duration.sum() / 60:.0f} min"
        f"{note}\n  Taken: {why}.{other}"
    )
