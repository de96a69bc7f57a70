"""Transfer: frames, folds and draws keep their rules; YAMNet is the right file or none."""

import dataclasses
import hashlib
import json
import os
import re
from types import SimpleNamespace

import lessons
import numpy as np
import pandas as pd
import pytest
from lessons import ROOT

from helpers import audio, datasets, evaluation, files, models, transfer, windows
from helpers.datasets import downloads

STAND_IN = b"not a network, but a file of the right checksum"


# ---- frames


@pytest.mark.parametrize(
    ("samples", "count"),
    [(0, 1), (100, 1), (15_600, 1), (15_601, 2), (23_280, 2), (23_281, 3), (48_000, 6)],
)
def test_frames_cover_every_sample_and_no_more(samples, count):
    assert transfer.frames(np.ones(samples, np.float32) / 2).shape == (count, 15_600)


def test_frames_overlap_and_the_last_is_padded_with_zeros():
    waveform = np.random.default_rng(0).normal(0, 0.1, 30_000).astype(np.float32)
    first, second, third = transfer.frames(waveform)
    gain = 0.1 / np.sqrt(np.mean(waveform[:15_600] ** 2))
    assert first == pytest.approx(np.clip(gain * waveform[:15_600], -1, 1), abs=1e-5)
    assert np.corrcoef(first[7_680:], second[: 15_600 - 7_680])[0, 1] > 0.999
    assert not third[30_000 - 2 * 7_680 :].any() and third[: 30_000 - 2 * 7_680].any()


@pytest.mark.parametrize(("below", "count"), [(19, 5), (21, 3)])
def test_only_frames_more_than_20_db_below_the_loudest_are_left_out(below, count):
    tone = np.sin(np.arange(15_600 + 4 * 7_680)).astype(np.float32)
    tone[3 * 7_680 :] *= 10 ** (-below / 20)  # the third frame is loud for a part of its length
    assert len(transfer.frames(tone)) == count


def test_frames_have_one_level_whatever_the_clips():
    tone = np.sin(np.arange(40_000)).astype(np.float32)
    loud, faint = transfer.frames(tone), transfer.frames(1e-3 * tone)
    assert loud == pytest.approx(faint, abs=1e-5) and loud.dtype == np.float32
    assert [audio.level(frame) for frame in loud[:-1]] == pytest.approx([-20] * (len(loud) - 1))
    click = np.zeros(15_600, np.float32)
    click[100] = 1e-2
    assert np.abs(transfer.frames(click)).max() == 1
    assert not transfer.frames(np.zeros(20_000, np.float32)).any()


# ---- from embeddings to answers


class Backbone:
    """Gives every frame's first two samples as embeddings, and the same as scores."""

    name, labels = "toy", ["Meow", "bark", "Rain"]

    def __call__(self, waveform):
        frames = transfer.frames(waveform)
        return np.abs(frames[:, :2]), np.abs(frames[:, :3])


def test_features_are_the_root_of_the_mean_over_the_frames(synthetic):
    clips = synthetic.iloc[[3, 0, 200]]
    embeddings, scores = transfer.embed(Backbone(), clips)
    assert embeddings.shape == (3, 2) and scores.shape == (3, 3)
    for row, path in enumerate(clips.path):
        own, _ = Backbone()(audio.load(path)[0])
        assert embeddings[row] == pytest.approx(np.sqrt(own.mean(axis=0)), abs=1e-6)
        assert scores[row, :2] == pytest.approx(own.mean(axis=0), abs=1e-6)


def test_own_classes_are_found_by_meaning_and_by_name():
    found = {name: transfer.own_classes(Backbone(), name) for name in ("cat", "dog", "rain", "owl")}
    assert found == {"cat": [0], "dog": [1], "rain": [2], "owl": []}


def test_the_strongest_own_class_decides_without_training():
    backbone = SimpleNamespace(labels=["Speech", "Meow", "Purr", "Bark", "Howl"])
    clips = pd.DataFrame({"label": ["cat", "dog", "cat"]}, index=list("abc"))
    scores = np.array([[0.9, 0.3, 0.0, 0.1, 0.1], [0.9, 0.2, 0.2, 0.0, 0.3], [0.9, 0, 0, 0, 0]])
    table = transfer.zero_shot(scores, backbone, clips)
    assert table.predicted.tolist() == ["cat", "dog", "cat"] and list(table.index) == list("abc")
    assert table.p_cat.tolist() == pytest.approx([0.75, 0.4, 0.5])
    assert table.p_dog.tolist() == pytest.approx([0.25, 0.6, 0.5])
    assert list(table) == ["label", "predicted", "correct", "p_cat", "p_dog"]


def test_a_label_that_the_backbone_does_not_know_never_wins():
    backbone = SimpleNamespace(labels=["Bark"])
    clips = pd.DataFrame({"label": ["dog", "owl"]})
    table = transfer.zero_shot(np.array([[0.01], [0.01]]), backbone, clips)
    assert table.predicted.tolist() == ["dog", "dog"]


def _catalog(n=120, clips_a_group=4):
    group = np.arange(n) // clips_a_group
    return pd.DataFrame(
        {"label": np.where(group % 2, "dog", "cat"), "group": group},
        index=[f"clip {i}" for i in range(n)],
    )


def test_a_head_finds_what_is_there_and_nothing_that_only_a_recording_has():
    clips, rng = _catalog(), np.random.default_rng(0)
    telling = rng.normal(0, 1, (120, 5)) + 5 * (clips.label == "dog").to_numpy()[:, None]
    table = transfer.cross_validate(telling, clips)
    assert table.correct.all() and table.index.equals(clips.index)
    assert (table.p_dog > 0.5).eq(table.predicted == "dog").all()
    recordings = 5 * np.eye(30)[clips.group]  # says which recording it is, and that tells nothing
    assert evaluation.summary(transfer.cross_validate(recordings, clips))["accuracy"] < 0.7


def test_both_classes_weigh_the_same():
    """With nothing to learn from, the head may not take to the more frequent class."""
    clips = _catalog().iloc[np.r_[0:4, 4:120]]
    clips.iloc[0:100, clips.columns.get_loc("label")] = "cat"
    clips["group"] = np.arange(120)
    table = transfer.cross_validate(np.zeros((120, 3)), clips)
    assert table.p_dog.to_numpy() == pytest.approx(0.5, abs=0.02)


def test_a_draw_takes_other_recordings_first_and_grows():
    clips = _catalog()
    few, more = transfer.sample(clips, 5, seed=3), transfer.sample(clips, 20, seed=3)
    assert few.label.value_counts().to_dict() == {"cat": 5, "dog": 5}
    assert few.group.is_unique and set(few.index) <= set(more.index)
    assert more.groupby("label").group.nunique().tolist() == [15, 15]
    assert set(transfer.sample(clips, 5, seed=4).index) != set(few.index)
    assert transfer.sample(clips, 5, seed=3).equals(few)
    with pytest.raises(ValueError, match="61 clips a class: there are only 60"):
        transfer.sample(clips, 61)


def test_a_cnn_gives_what_its_last_layer_gets_and_says():
    cnn = models.compact_cnn((94, 64, 1), 2, width=2)
    backbone = transfer.CnnBackbone(cnn, ["cat", "dog"])
    waveform = np.random.default_rng(0).normal(0, 0.1, 40_000).astype(np.float32)
    embeddings, scores = backbone(waveform)
    pictures = np.array(windows.network_input(windows.sliding(waveform)))
    assert embeddings.shape == (len(pictures), 16) and scores.shape == (len(pictures), 2)
    logits = cnn.predict(pictures, verbose=0)
    weights, bias = cnn.layers[-1].get_weights()
    assert embeddings @ weights + bias == pytest.approx(logits, abs=1e-4)
    right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert scores == pytest.approx(right, abs=1e-5)
    paused = np.append(waveform, 0.05 * np.resize(waveform, 80_000))
    assert len(windows.sliding(paused)) > len(backbone(paused)[0]) + 10


# ---- where YAMNet comes from


@pytest.fixture
def stand_in(monkeypatch):
    """A file of any bytes may stand for YAMNet; nothing leaves this machine."""
    monkeypatch.delenv("YAMNET", raising=False)
    known = dataclasses.replace(downloads.YAMNET, sha256=hashlib.sha256(STAND_IN).hexdigest())
    monkeypatch.setattr(downloads, "YAMNET", known)
    monkeypatch.setattr(downloads, "fetch", lambda *_: pytest.fail("asked Kaggle"))
    monkeypatch.setattr(transfer, "_Yamnet", lambda path: SimpleNamespace(labels=[1], path=path))
    return monkeypatch


def test_none_is_none_and_says_so(stand_in, tmp_path, capsys):
    assert transfer.yamnet("none", data=tmp_path) is None
    assert capsys.readouterr().out.startswith("YAMNet: not taken (asked for with YAMNET)")


def test_parameter_before_environment_before_disk(stand_in, tmp_path, capsys):
    own, kept = tmp_path / "own.tflite", tmp_path / "yamnet" / "yamnet.tflite"
    kept.parent.mkdir()
    for path in (own, kept):
        path.write_bytes(STAND_IN)
    assert transfer.yamnet(data=tmp_path).path == kept
    stand_in.setenv("YAMNET", "none")
    assert transfer.yamnet(data=tmp_path) is None
    assert "environment variable YAMNET" in capsys.readouterr().out
    assert transfer.yamnet(str(own), data=tmp_path).path == own
    stand_in.setenv("YAMNET", str(own))
    assert transfer.yamnet(data=tmp_path).path == own
    stand_in.setenv("YAMNET", "auto")
    assert transfer.yamnet(data=tmp_path).path == kept
    assert str(tmp_path) not in capsys.readouterr().out


def test_a_named_file_that_is_not_there_is_an_error(stand_in, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.tflite.*"auto", "none" or the path'):
        transfer.yamnet("nowhere.tflite", data=tmp_path)


@pytest.mark.parametrize("name", ["own.tflite", "yamnet/yamnet.tflite"])
def test_another_file_is_refused_not_run(stand_in, tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(STAND_IN[:-1])
    with pytest.raises(ValueError, match=r"not Google's YAMNet.*sha256.*delete it"):
        transfer.yamnet("auto" if "/" in name else str(path), data=tmp_path)


def test_it_is_downloaded_once(stand_in, tmp_path, capsys):
    def fetch(download, target):
        assert download is downloads.YAMNET
        target.parent.mkdir()
        target.write_bytes(STAND_IN)
        return target

    stand_in.setattr(downloads, "fetch", fetch)
    assert transfer.yamnet(data=tmp_path).path == tmp_path / "yamnet" / "yamnet.tflite"
    assert "downloaded just now" in capsys.readouterr().out
    stand_in.setattr(downloads, "fetch", lambda *_: pytest.fail("asked Kaggle again"))
    assert transfer.yamnet(data=tmp_path)


def test_a_failed_download_is_none_and_says_why(stand_in, tmp_path, capsys):
    def fetch(download, target):
        raise ConnectionError("connection lost")

    stand_in.setattr(downloads, "fetch", fetch)
    assert transfer.yamnet(data=tmp_path) is None
    assert "connection lost" in capsys.readouterr().out


# ---- the real file, where there is one


@pytest.fixture(scope="module")
def real():
    folder = ROOT.parent / "shared" / "data" / "yamnet"
    path = os.environ.get("YAMNET_FILE") or next(iter(folder.glob("*.tflite")), None)
    if not path:
        pytest.skip("YAMNET_FILE names no file of YAMNet's")
    return transfer.yamnet(str(path))


def test_embedding_values_are_those_that_the_last_layer_gets(real, synthetic):
    """Recomputed from them by the file's own weights, the scores come out again."""
    embeddings, scores = real(audio.load(synthetic.path.iloc[0])[0])
    assert (
        embeddings.shape[1] == 1024
        and scores.shape[1] == 521
        and len(embeddings) == len(scores) > 1
    )
    assert embeddings.min() == 0 and embeddings.dtype == scores.dtype == np.float32
    last = {}
    for tensor in real._net.get_tensor_details():
        if tuple(tensor["shape"]) in ((521, 1024), (521,)):
            step, zero = tensor["quantization"]
            value = real._net.get_tensor(tensor["index"]).astype(np.float64)
            last[value.ndim] = step * (value - zero)
    recomputed = 1 / (1 + np.exp(-(embeddings @ last[2].T + last[1])))
    assert np.abs(recomputed - scores).max() < 0.06  # logits are kept in steps of a third


def test_yamnet_knows_its_classes_and_hears_alike_at_any_level(real, synthetic):
    assert (
        len(real.labels) == 521
        and real.labels[0] == "Speech"
        and real.labels[-1] == "Field recording"
    )
    assert [real.labels[i] for i in transfer.own_classes(real, "cat")] == [
        "Cat",
        "Purr",
        "Meow",
        "Hiss",
        "Caterwaul",
    ]
    assert len(transfer.own_classes(real, "dog")) == 7
    waveform, _ = audio.load(synthetic.path.iloc[-1])
    for first, second in zip(real(waveform), real(0.01 * waveform), strict=True):
        assert np.abs(first - second).max() < 0.1


@pytest.mark.recordings
def test_a_head_on_yamnet_beats_its_own_answer(real, recordings):
    clips = datasets.load(recordings, quiet=True)
    embeddings, scores = transfer.embed(real, clips)
    head = evaluation.summary(transfer.cross_validate(embeddings, clips))["balanced_accuracy"]
    zero_shot = evaluation.summary(transfer.zero_shot(scores, real, clips))["balanced_accuracy"]
    assert head > 0.955 and 0.82 < zero_shot < 0.9


def test_the_embeddings_that_come_with_the_course_are_of_the_recordings():
    kept = np.load(files.ROOT / "data" / "pretrained" / "yamnet_embeddings.npz")
    clips = pd.DataFrame({"label": kept["label"], "group": kept["group"]}, kept["clip"])
    assert kept["embeddings"].shape == (277, 1024) and clips.index.is_unique
    assert clips.label.value_counts().to_dict() == {"cat": 164, "dog": 113}
    assert clips.group.nunique() == 220
    table = transfer.cross_validate(kept["embeddings"].astype(np.float32), clips, seed=1)
    ladder = json.loads((files.ROOT / "benchmarks" / "results" / "ladder.json").read_text("utf-8"))
    (measured,) = [row for row in ladder["rivals"] if row["name"] == "YAMNet and a head"]
    ours = evaluation.summary(table)["balanced_accuracy"]
    assert abs(ours - measured["by_seed"][0]) < 0.01  # half precision, another machine


# ---- what is kept of YAMNet, and what the lessons say came out


@pytest.mark.parametrize("of", ["recordings", "synthetic"])
def test_what_is_kept_has_a_row_of_numbers_for_each_clip(of):
    clips, embeddings, mfcc = transfer.kept(of)
    assert len(clips) == len(set(clips.index)) == 277 and set(clips.label) == {"cat", "dog"}
    assert embeddings.shape == (277, 1024) and mfcc.shape == (277, 40)
    assert embeddings.min() >= 0 and np.isfinite(embeddings).all() and np.isfinite(mfcc).all()
    assert clips.groupby("group").label.nunique().max() == 1


def test_nothing_else_is_kept():
    with pytest.raises(ValueError, match="of 'birds' nothing is kept: choose recordings or synth"):
        transfer.kept("birds")


def test_the_kept_numbers_are_those_of_the_synthetic_clips(synthetic):
    clips, _, mfcc = transfer.kept("synthetic")
    some = synthetic.iloc[[0, 100, 276]]
    assert clips.loc[some.index].label.tolist() == some.label.tolist()
    own = transfer.mfcc_statistics(some)
    assert mfcc[clips.index.get_indexer(some.index)] == pytest.approx(own, abs=0.5)
    assert own.shape == (3, 40) and (own[:, 20:] > 0).all()


def test_the_real_file_still_gives_the_kept_embeddings(real, synthetic):
    clips, kept, _ = transfer.kept("synthetic")
    some = synthetic.iloc[[0, 276]]
    embeddings, _ = transfer.embed(real, some)
    assert embeddings == pytest.approx(kept[clips.index.get_indexer(some.index)], abs=0.1)


FIGURE = re.compile(r"(\d+(?:\.\d+)?)(?= %| points?\b| of \d)")


@pytest.mark.parametrize("number", ["06", "07"])
def test_what_came_out_is_what_came_out(number):
    """Every figure of a folded answer stands in an output of the cells above it."""
    (path,) = (path for path in lessons.PATHS if path.stem.startswith(number))
    above, found = [], 0
    for cell in lessons.read(path).cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                data = output.get("data", {})
                above.append(output.get("text", "") + str(data.get("text/html", "")))
        elif "What came out" in cell.source:
            figures = FIGURE.findall(cell.source.split("What came out")[1].split("</details>")[0])
            said = set(re.findall(r"\d+(?:\.\d+)?", " ".join(above[-6:])))
            assert set(figures) <= said, set(figures) - said
            found += len(figures)
    assert found >= 2
