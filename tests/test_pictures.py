"""Plots with units, players with the right sound, and the explorer driven without a browser."""

import base64
import io
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import soundfile
from lessons import ROOT
from PIL import Image
from tones import tone

matplotlib.use("Agg")

from helpers import audio, evaluation, features, plots, widgets
from helpers.widgets import panel

# the third is a pause
WINDOWS = pd.DataFrame(
    {
        "start": [0, 1, 2],
        "end": [2, 3, 3],
        "cat": [0.9, 0.2, 0.1],
        "dog": [0.1, 0.8, 0.9],
        "weight": [0.6, 0.395, 0.005],
    }
)
SPANS = pd.DataFrame(
    {"what": ["reads", "learns", "reads"], "start": [0.0, 0.1, 0.1], "end": [0.1, 0.4, 0.2]}
)

SHARES = np.array([0.0, 0.4, 1.0])
CURVE = pd.DataFrame({"way": list("aab"), "clips": [5, 5, 10], "accuracy": [0.7, 0.9, 0.95]})
BINS = pd.DataFrame({"clips": [3, 4], "confidence": [0.6, 0.9], "accuracy": [1.0, 0.75]})


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def _axes():
    return [ax for ax in plt.gcf().axes if ax.get_label() != "<colorbar>"]


def test_every_axis_has_its_unit():
    wave = tone()
    counts = np.array([[5, 1], [2, 4]])
    history = __import__("pandas").DataFrame({"accuracy": [0.5, 0.9], "val_accuracy": [0.4, 0.8]})
    history = history.assign(loss=[0.7, 0.2], val_loss=[0.7, 0.4])
    for draw, wanted in [
        (lambda: plots.waveform(wave), ["(s)", "full scale"]),
        (lambda: plots.log_mel(wave), ["(s)", "(Hz)"]),
        (lambda: plots.clip(wave), ["full scale", "(Hz)"]),
        (lambda: plots.rows(counts, 0.016, {0: "C"}, ylabel="class", vmin=0), ["(s)", "class"]),
        (lambda: plots.timeline(WINDOWS), ["(s)", "(%)"]),
        (lambda: plots.curves(history), ["epoch", "(%)"]),
        (lambda: plots.lines(wave, {"a": wave}, xlabel="t (s)", ylabel="a (dB)"), ["(s)", "(dB)"]),
        (lambda: plots.spectra({"a": wave, "b": wave}, wave), ["(Hz)", "(dB)"]),
        (lambda: plots.curves(history, measure="loss"), ["epoch", "(nats)"]),
        (lambda: plots.descent([0, 1], [1, 2], {"a": [0, 0.5, 9]}), ["weight", "(nats)"]),
        (lambda: plots.grid({"a": counts, "b": counts}, unit="level (dB)"), ["frame", "band"]),
        (lambda: plots.confusion(counts, ["cat", "dog"]), ["called", "truly"]),
        (lambda: plots.intervals(SHARES, SHARES + 0.2, 0.5), ["test (number)", "(%)"]),
        (lambda: plots.roc({"cat: AUC 0.80": (SHARES, SHARES)}), ["called so (%)", "found (%)"]),
        (lambda: plots.reliability({"a": BINS, "b": BINS}), ["confidence (%)", "accuracy (%)"]),
        (lambda: plots.learning_curve(CURVE, without=0.6), ["learn from (count)", "(%)"]),
        (lambda: plots.folds({"a": [0, 1, 1]}, [7, 7, 8]), ["round", "recording"]),
        (lambda: plots.timetable({"a": SPANS}), ["(s)", "worker"]),
    ]:
        assert draw() is None  # a value would be echoed below the plot
        labels = " ".join(ax.get_xlabel() + ax.get_ylabel() for ax in _axes())
        assert all(unit in labels for unit in wanted), labels
        plt.close("all")


def test_an_interval_is_grey_where_it_holds_the_truth_and_pink_where_not():
    plots.intervals(SHARES, SHARES + 0.2, 0.5)
    (ax,) = _axes()
    counts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert counts == ["1 hold the truth", "2 miss the truth", "the truth"]
    assert [len(lines.get_segments()) for lines in ax.collections] == [1, 2]


def test_a_learning_curve_runs_through_the_mean_of_its_draws_or_has_intervals():
    plots.learning_curve(CURVE)
    (ax,) = _axes()
    assert list(ax.lines[0].get_ydata()) == [80] and len(ax.collections[0].get_offsets()) == 2
    plots.learning_curve(CURVE.assign(low=0.6, high=0.98))
    (ax,) = _axes()
    assert ax.collections[1].get_segments()[0][:, 1].tolist() == [60, 98]


def test_a_reliability_diagram_has_each_bins_interval():
    plots.reliability({"a": BINS})
    (ax,) = _axes()
    (lines,) = ax.collections
    low, high = lines.get_segments()[1][:, 1]
    assert (low, high) == pytest.approx(100 * np.array(evaluation.wilson(3, 4)))
    assert list(ax.lines[1].get_ydata()) == [100, 75]


def test_the_spectrograms_ticks_stand_at_their_frequencies():
    plots.log_mel(tone())
    (ax,) = _axes()
    image = ax.get_images()[0]
    loudest = image.get_array().mean(axis=1).argmax()
    ticks = dict(zip([t.get_text() for t in ax.get_yticklabels()], ax.get_yticks(), strict=True))
    assert 0.8 * ticks["500"] < loudest < ticks["500"]  # 440 Hz
    assert ax.get_xlim() == pytest.approx((0, 1), abs=0.02)


def test_linear_ticks():
    levels = features.decibels(features.stft(tone()) ** 2)
    plots.spectrogram(levels, 0.016, np.fft.rfftfreq(512, 1 / 16_000))
    assert [t.get_text() for t in _axes()[0].get_yticklabels()] == [
        "0",
        "2000",
        "4000",
        "6000",
        "8000",
    ]


@pytest.mark.parametrize(
    ("draw", "pictures"),
    [
        (lambda file: plots.strobe(5_000, 8_000, flashes=4, file=file), 17),
        (
            lambda file: plots.winding(
                tone()[:256], 16_000, np.array([300.0, 440, 500]), file=file
            ),
            3,
        ),
        (
            lambda file: plots.moving_window(
                tone(), features.stft(tone()), 0.016, np.arange(257) * 31.25, 0.032, file=file
            ),
            40,
        ),
        (
            lambda file: plots.rolling_down(
                np.linspace(-3, 3, 61),
                np.linspace(-3, 3, 61) ** 2,
                [-2.0, -1.0, 0.0],
                np.array([-1.0, 0.0, 1.0]),
                ["dog", "dog", "cat"],
                file=file,
            ),
            3,
        ),
    ],
    ids=["strobe", "winding", "moving window", "rolling down"],
)
def test_animations_play_as_png_and_as_gif(draw, pictures, monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    draw(tmp_path / "one.gif")
    (data,) = shown
    png = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    gif = Image.open(tmp_path / "one.gif")
    assert png.n_frames == gif.n_frames == pictures and len(data["text/plain"]) > 10
    for at in (0, pictures // 2, pictures - 1):
        png.seek(at), gif.seek(at)
        same = np.abs(np.subtract(png.convert("RGB"), gif.convert("RGB"), dtype=float))
        assert same.mean() < 1 and np.array(png.convert("RGB")).std() > 10
    assert plt.get_fignums() == []


def test_the_strobe_names_the_alias(monkeypatch):
    monkeypatch.setattr("IPython.display.display", lambda data, raw: None)
    closed = []
    monkeypatch.setattr(plt, "close", closed.append)
    plots.strobe(9_000, 8_000, flashes=1)
    legend = closed[0].axes[2].get_legend()
    assert "1,000 Hz" in [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(
    ("name", "pictures"), [("strobe", 21), ("winding", 21), ("moving_window", 21), ("descent", 13)]
)
def test_the_committed_animations_are_small_and_move(name, pictures):
    path = ROOT / "notebooks" / "images" / f"{name}.gif"
    assert path.stat().st_size < 400_000 and Image.open(path).n_frames >= pictures


def test_the_folds_mark_held_out_clips_with_kin_in_training():
    recordings = ["x", "x", "y", "y", "z"]
    plots.folds({"random": [0, 1, 1, 1, 0], "whole": [0, 0, 1, 1, 1]}, recordings)
    random, whole = _axes()
    (crosses,) = random.lines
    assert sorted(zip(crosses.get_xdata(), crosses.get_ydata())) == [(0.5, 0.5), (1.5, 1.5)]
    assert "2 of 5" in random.get_title() and "0 of 5" in whole.get_title()
    held = whole.collections[0].get_array().reshape(2, 5)
    np.testing.assert_array_equal(held, [[1, 1, 0, 0, 0], [0, 0, 1, 1, 1]])
    assert [line[0][0] for line in whole.collections[1].get_segments()] == [2, 4]


def test_stations_are_boxes_with_arrows_between_and_a_lock_on_what_is_frozen():
    parts = {"a backbone": ("many numbers", "frozen"), "a head": ("few numbers", "learns")}
    plots.stations(parts)
    (ax,) = _axes()
    assert [text.get_text() for text in ax.texts if text.get_text()] == [
        *("a backbone", "many numbers"),
        *("a head", "few numbers"),
    ]
    assert sum(not text.get_text() for text in ax.texts) == 1  # an arrow
    grey, *lock, green = ax.patches
    assert len(lock) == 2 and grey.get_facecolor() != green.get_facecolor()
    inside = grey.get_window_extent()
    assert all(inside.contains(*corner) for part in lock for corner in part.get_extents().corners())
    ax.figure.draw_without_rendering()
    for box, texts in ((grey, ax.texts[:2]), (green, ax.texts[-3:-1])):
        edges = box.get_window_extent()
        for text in texts:
            assert all(edges.contains(*corner) for corner in text.get_window_extent().corners())


def test_the_timetable_draws_each_worker_in_its_row():
    plots.timetable({"slow": SPANS.assign(end=SPANS.end + 1), "fast": SPANS})
    slow, fast = _axes()
    assert "1.40 s" in slow.get_title() and slow.get_xlim() == fast.get_xlim() == (0, 1.4)
    assert [tick.get_text() for tick in fast.get_yticklabels()] == ["reads", "learns"]
    rows = [[path.get_extents() for path in bars.get_paths()] for bars in fast.collections]
    spans = [[(round(box.x0, 3), round(box.x1, 3)) for box in row] for row in rows]
    assert spans == [[(0, 0.1), (0.1, 0.2)], [(0.1, 0.4)]]


def test_colours_are_one_a_class():
    assert plots.colour("cat") != plots.colour("dog")
    assert plots.colour("rain") == plots.colour("rain")
    plots.waveform(tone(), label="dog")
    assert _axes()[0].lines[0].get_color() == plots.colour("dog")


def test_a_short_sound_lies_on_the_time_axis_that_its_spectrogram_shares():
    plots.clip(tone()[:800])
    upper = _axes()[0]
    assert np.ptp(upper.lines[0].get_xdata()) <= np.ptp(upper.get_xlim()) <= 0.1


def test_the_timeline_draws_the_windows_that_are_heard_each_at_its_middle():
    plots.timeline(WINDOWS)
    (ax,) = _axes()
    cat, dog = (line for line in ax.lines if len(line.get_xdata()) == 3)
    assert (cat.get_color(), dog.get_color()) == (plots.colour("cat"), plots.colour("dog"))
    np.testing.assert_allclose(cat.get_xdata(), [1, 2, np.nan])
    np.testing.assert_allclose(cat.get_ydata()[:2], [90, 20])
    first, second, _ = ax.collections[0].get_sizes()
    assert (first - 6) / (second - 6) == pytest.approx(0.6 / 0.395)


def _sound(markup):
    payload = re.search(r"data:audio/mpeg;base64,([^']+)", markup)[1]
    return soundfile.read(io.BytesIO(base64.b64decode(payload)))


@pytest.mark.parametrize("rate", [2000, 16_000, 44_100])
def test_a_player_holds_the_sound_it_was_given(monkeypatch, rate):
    shown = []
    monkeypatch.setattr(panel, "display", lambda data, raw: shown.append(data))
    widgets.players([("a <tone>", tone(440, 2, rate=rate), rate)])
    markup = shown[0]["text/html"]
    samples, got_rate = _sound(markup)
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    peak = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))).argmax() * got_rate / len(middle)
    assert abs(peak - 440) < 2 and abs(len(samples) / got_rate - 2) < 0.2
    assert abs(audio.level(middle) - audio.level(tone())) < 0.3
    assert "a &lt;tone&gt;" in markup and "a <tone> (2.0 s)" in shown[0]["text/plain"]


def _pixels(explorer):
    return plt.imread(io.BytesIO(explorer.picture.value))


def test_the_explorer_changes_picture_and_sound(synthetic):
    explorer = widgets.Explorer(synthetic)
    first = _pixels(explorer), _sound(explorer.sound.value)[0]
    explorer.label.value, explorer.split.value = "dog", "test"
    names = explorer.clip.options
    assert len(names) == ((synthetic.label == "dog") & (synthetic.split == "test")).sum()
    assert set(synthetic.label[list(names)]) == {"dog"}
    explorer.clip.value = names[3]
    assert names[3] in explorer.note.value
    second = _pixels(explorer), _sound(explorer.sound.value)[0]
    assert (first[0] != second[0]).mean() > 0.01
    expected, _ = audio.load(synthetic.path[names[3]])
    assert abs(len(second[1]) - len(expected)) < 3000 and len(first[1]) != len(second[1])
    level = audio.level(second[1][: len(expected)])
    assert abs(level - audio.level(expected)) < 1


def test_the_explorer_without_widgets_is_a_picture_and_a_player(synthetic):
    bundle = widgets.Explorer(synthetic, first=synthetic.index[5])._repr_mimebundle_()
    picture = re.search(r"data:image/png;base64,([^']+)", bundle["text/html"])[1]
    assert plt.imread(io.BytesIO(base64.b64decode(picture))).std() > 0.05
    assert len(_sound(bundle["text/html"])[0]) > 8000
    assert synthetic.index[5] in bundle["text/html"]


def test_the_explorer_says_which_clip_is_broken_and_goes_on(synthetic, tmp_path):
    clips = synthetic.head(3).copy()
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    clips.iloc[1, 0] = str(tmp_path / "broken.wav")
    explorer = widgets.Explorer(clips)
    explorer.clip.value = clips.index[1]
    assert "cannot be decoded" in explorer.note.value and not explorer.picture.value
    explorer.clip.value = clips.index[2]
    assert explorer.picture.value
