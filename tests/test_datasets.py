"""Folders of every layout become the same catalog; what is wrong is said in words."""

import json
import zlib

import numpy as np
import pandas as pd
import pytest
import soundfile

from helpers import datasets
from helpers.datasets import catalog, downloads, folders

RATE = 16_000


def _write(path, seconds=0.5, rate=RATE, channels=1, seed=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32(str(path).encode()) if seed is None else seed)
    samples = rng.uniform(-0.5, 0.5, (int(seconds * rate), channels))
    soundfile.write(path, samples, rate)
    return path


def _class_folders(root, counts, seconds=0.5):
    for folder, count in counts.items():
        for k in range(count):
            name = f"{folder.replace('/', '_')}_{k}.wav"
            _write(root / folder / name, seconds)
    return root


def _split_csv(root, **columns):
    table = pd.DataFrame({name: pd.Series(files) for name, files in columns.items()})
    table.to_csv(root / "train_test_split.csv")


def _load(folder, **options):
    return datasets.load(str(folder), quiet=True, **options)


def test_the_catalog_has_the_promised_columns(synthetic):
    assert list(synthetic.columns) == catalog._COLUMNS
    assert synthetic.index.is_unique and synthetic.index.is_monotonic_increasing
    assert set(synthetic.split) == {"train", "test"} and not synthetic.isna().any().any()
    assert synthetic.duration.between(0.9, 18.1).all()
    assert datasets.classes(synthetic) == ["cat", "dog"]
    assert set(synthetic.source) == {"synthetic"} and set(synthetic.licence) == {"CC0-1.0"}


def test_which_clips_share_audio_is_found_once(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(catalog, "_MANY", 2)
    folder = _class_folders(tmp_path / "mine", {"bird": 4, "rain": 4})
    for name in ("bird_0", "bird_1"):
        _write(folder / "bird" / f"{name}.wav", seconds=2.0, seed=1)
    first = _load(folder)
    assert first.group.nunique() == 7
    (kept,) = (tmp_path / "runs" / "shared-audio").iterdir()
    assert json.loads(kept.read_text("utf-8")) == [["bird/bird_0.wav", "bird/bird_1.wav"]]
    kept.write_text("[]", "utf-8")  # what is kept is what is taken
    assert _load(folder).group.nunique() == 8
    kept.write_text("{", "utf-8")  # unless it is broken
    pd.testing.assert_frame_equal(_load(folder), first)
    _write(folder / "bird" / "bird_2.wav", seconds=2.0, seed=1)  # or a clip has changed
    assert _load(folder).group.nunique() == 6


def test_what_cannot_be_kept_is_found_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "runs").write_text("a file where the folder should be")
    monkeypatch.setenv("COURSE_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(catalog, "_MANY", 2)
    assert len(_load(_class_folders(tmp_path / "mine", {"bird": 4, "rain": 4}))) == 8


def test_the_articles_odd_layout(tmp_path):
    """`test/test` holds the dogs, `cats` are cats."""
    root = _class_folders(
        tmp_path, {"train/cat": 4, "train/dog": 4, "test/cats": 2, "test/test": 2}
    )
    clips = _load(root)
    counts = clips.groupby(["split", "label"]).size()
    assert counts.to_dict() == {
        ("train", "cat"): 4,
        ("train", "dog"): 4,
        ("test", "cat"): 2,
        ("test", "dog"): 2,
    }
    assert clips.loc["test/test/test_test_0.wav", "label"] == "dog"


def test_folders_above_the_split_do_not_matter(tmp_path):
    root = _class_folders(
        tmp_path, {"a/train/cat": 3, "a/train/dog": 3, "a/test/cats": 2, "a/test/test": 2}
    )
    assert _load(root).groupby(["split", "label"]).size().tolist() == [2, 2, 3, 3]


def test_a_flat_folder_follows_its_csv(tmp_path):
    names = [f"cat_{k}.wav" for k in range(4)] + [f"dog_barking_{k}.wav" for k in range(4)]
    for k, name in enumerate(names):
        _write(tmp_path / name, seed=k)
    _split_csv(
        tmp_path,
        test_cat=names[:1],
        test_dog=names[4:5],
        train_cat=names[1:4],
        train_dog=names[5:8],
    )
    clips = _load(tmp_path)
    assert clips.loc["cat_0.wav", ["label", "split"]].tolist() == ["cat", "test"]
    assert clips.loc["dog_barking_1.wav", ["label", "split"]].tolist() == ["dog", "train"]


def test_where_folder_and_csv_disagree_the_csv_is_followed_and_it_is_said(tmp_path):
    root = _class_folders(
        tmp_path, {"train/cat": 3, "train/dog": 3, "test/cats": 2, "test/test": 2}
    )
    _split_csv(
        root,
        test_cat=["test_cats_0.wav", "test_cats_1.wav", "gone.wav"],
        test_dog=["test_test_0.wav", "test_test_1.wav", "train_dog_0.wav"],
        train_cat=[f"train_cat_{k}.wav" for k in range(3)],
        train_dog=["train_dog_1.wav"],
    )
    clips = _load(root)
    assert clips.loc["train/dog/train_dog_0.wav", "split"] == "test"
    findings = dict(clips.attrs["findings"])
    assert "csv is followed" in findings["train/dog/train_dog_0.wav"]
    assert findings["gone.wav"].startswith("missing")
    assert findings["train/dog/train_dog_2.wav"].startswith("left out")
    assert "train/dog/train_dog_2.wav" not in clips.index


def test_any_number_of_classes_and_a_split_by_group(tmp_path):
    root = _class_folders(tmp_path, {"bird": 8, "rain": 8, "cats": 8})
    twin = root / "bird" / "twin.wav"
    twin.write_bytes((root / "bird" / "bird_0.wav").read_bytes())
    clips = _load(root, seed=3)
    assert datasets.classes(clips) == ["bird", "cat", "rain"]
    assert clips.group[["bird/bird_0.wav", "bird/twin.wav"]].nunique() == 1
    assert clips.groupby("group").split.nunique().max() == 1
    assert 0.15 < (clips.split == "test").mean() < 0.4
    assert _load(root, seed=3).split.equals(clips.split)
    assert "no split is stated" in str(clips.attrs["findings"])


def test_rates_channels_and_formats_are_told(tmp_path):
    root = _class_folders(tmp_path, {"cat": 3, "dog": 3})
    _write(root / "cat" / "stereo.wav", rate=44_100, channels=2)
    _write(root / "dog" / "song.flac", rate=8000)
    _write(root / "dog" / "song2.ogg", rate=22_050)
    _write(root / "dog" / "song3.mp3", rate=48_000, seconds=2)
    clips = _load(root)
    assert clips.loc["cat/stereo.wav", ["sample_rate", "channels"]].tolist() == [44_100, 2]
    assert clips.loc["dog/song.flac", "duration"] == pytest.approx(0.5, abs=0.01)
    assert clips.loc["dog/song3.mp3", "duration"] == pytest.approx(2, abs=0.1)


def test_other_formats_are_named_and_left_out(tmp_path):
    root = _class_folders(tmp_path, {"cat": 3, "dog": 3})
    (root / "cat" / "song.m4a").write_bytes(b"x")
    findings = dict(_load(root).attrs["findings"])
    assert "WAV, FLAC, OGG or MP3" in findings["cat/song.m4a"]


def test_a_folder_of_other_formats_only(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "song.m4a").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"WAV, FLAC, OGG or MP3.*song\.m4a"):
        _load(tmp_path)


def test_one_class_is_too_few(tmp_path):
    with pytest.raises(ValueError, match="only one class"):
        _load(_class_folders(tmp_path, {"cat": 3}))


def test_broken_files_never_stop_a_load_and_validate_says_which(tmp_path):
    root = _class_folders(tmp_path, {"cat": 6, "dog": 6})
    (root / "cat" / "zero.wav").write_bytes(b"")
    (root / "cat" / "nonsense.wav").write_bytes(b"RIFF and then nonsense")
    soundfile.write(root / "dog" / "no_samples.wav", np.zeros(0), RATE)
    soundfile.write(root / "dog" / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(root / "dog" / "clipped.wav", np.sign(np.sin(np.arange(RATE))), RATE)
    (root / "dog" / "twin.wav").write_bytes((root / "dog" / "dog_0.wav").read_bytes())
    clips = _load(root)
    (root / "cat" / "cat_5.wav").unlink()
    kept, findings = datasets.validate(clips)
    said = findings.groupby("file").finding.first()
    assert said["cat/zero.wav"] == "left out: empty, it holds no bytes"
    assert said["cat/nonsense.wav"].startswith("left out: cannot be decoded")
    assert said["dog/no_samples.wav"] == "left out: empty, it holds no samples"
    assert said["dog/silent.wav"].startswith("silent")
    assert said["dog/clipped.wav"].startswith("clipped")
    assert said["dog/twin.wav"] == "byte-identical to dog/dog_0.wav"
    assert said["cat/cat_5.wav"] == "left out: no such file"
    assert "cat/cat_5.wav" not in kept.index and "dog/silent.wav" in kept.index
    assert len(kept) == len(clips) - 1


def test_a_file_cut_off_in_the_middle_is_found(tmp_path):
    root = _class_folders(tmp_path, {"cat": 4, "dog": 4})
    path = _write(root / "cat" / "cut.flac", seconds=2)
    path.write_bytes(path.read_bytes()[:3000])
    clips = _load(root)
    assert "cat/cut.flac" not in clips.index
    assert dict(clips.attrs["findings"])["cat/cut.flac"].startswith("left out: cannot be decoded")


@pytest.mark.parametrize("source", ["sintetic", "no/such/folder"])
def test_a_named_source_that_is_not_there_is_an_error(source):
    with pytest.raises(FileNotFoundError, match='"auto", "synthetic", "kaggle"'):
        datasets.load(source)


def test_parameter_before_environment_before_auto(tmp_path, monkeypatch, capsys):
    own = _class_folders(tmp_path / "own", {"bird": 3, "rain": 3})
    other = _class_folders(tmp_path / "other", {"cat": 3, "dog": 3})
    monkeypatch.setenv("DATASET", str(other))
    assert set(datasets.load(str(own)).label) == {"bird", "rain"}
    assert set(datasets.load("auto").label) == {"cat", "dog"}
    assert "environment variable DATASET" in capsys.readouterr().out
    monkeypatch.delenv("DATASET")
    _class_folders(tmp_path / "data" / "audio-cats-and-dogs", {"cat": 4, "dog": 4})
    clips = datasets.load("auto", data=tmp_path / "data")
    assert "already on disk" in capsys.readouterr().out
    copy = datasets.load(str(tmp_path / "data" / "audio-cats-and-dogs"), quiet=True)
    for one in (clips, copy, datasets.load("kaggle", data=tmp_path / "data", quiet=True)):
        assert set(one.source) == {datasets.KAGGLE} == {one.attrs["name"]}
        assert set(one.licence) == {downloads.RECORDINGS.licence}


def test_an_environment_that_names_nothing_is_an_error_too(monkeypatch):
    monkeypatch.setenv("DATASET", "no/such/folder")
    with pytest.raises(FileNotFoundError, match="no/such/folder"):
        datasets.load("auto")


def test_kaggle_out_of_reach_is_an_error_where_asked_for_and_said_in_auto(
    tmp_path, monkeypatch, capsys
):
    def fetch(download, target):
        assert download is downloads.RECORDINGS and target == tmp_path / "audio-cats-and-dogs"
        raise ConnectionError("it cannot be reached")

    monkeypatch.delenv("DATASET")
    monkeypatch.setattr(downloads, "fetch", fetch)
    with pytest.raises(ConnectionError, match="cannot be reached: try again, or choose another"):
        datasets.load("kaggle", data=tmp_path)
    monkeypatch.setattr(
        catalog.synthetic,
        "make_dataset",
        lambda folder: _class_folders(folder, {"cat": 4, "dog": 4}),
    )
    assert set(datasets.load("auto", data=tmp_path).source) == {"synthetic"}
    assert "cannot be reached" in capsys.readouterr().out


def test_kaggles_recordings_are_downloaded_once(tmp_path, monkeypatch):
    layout = {"train/cat": 3, "train/dog": 3, "test/cats": 2, "test/test": 2}
    asked = []

    def fetch(download, target):
        asked.append(download)
        return _class_folders(target, layout)

    monkeypatch.setattr(downloads, "fetch", fetch)
    for _ in range(2):
        assert len(datasets.load("kaggle", data=tmp_path, quiet=True)) == 10
    assert asked == [downloads.RECORDINGS]


def test_the_fingerprint_changes_with_the_clips(synthetic):
    before = datasets.fingerprint(synthetic)
    assert before == datasets.fingerprint(synthetic.sample(frac=1, random_state=0))
    assert before != datasets.fingerprint(synthetic.iloc[1:])
    changed = synthetic.copy()
    changed.iloc[0, changed.columns.get_loc("split")] = "validation"
    assert before != datasets.fingerprint(changed)


def test_label_ids_follow_the_names(synthetic):
    few = synthetic.groupby("label").head(4)
    ids = datasets.label_ids(few)
    assert set(ids[few.label == "cat"]) == {0} and set(ids[few.label == "dog"]) == {1}
    assert set(datasets.label_ids(few, ["dog", "cat"])[few.label == "cat"]) == {1}
    with pytest.raises(ValueError, match="unknown label cat: the labels are bird, dog"):
        datasets.label_ids(few, ["bird", "dog"])


def test_a_label_may_be_a_word_that_pandas_takes_for_missing(tmp_path):
    rows = ["file,label"]
    for label in ("None", "NA", "null", "nan"):
        _write(tmp_path / f"{label}.wav")
        rows.append(f"{label}.wav,{label}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    table, findings = folders.from_manifest(tmp_path)
    assert list(table.label) == ["None", "NA", "null", "nan"] and findings == []
