"""Explorer, labs and preview, driven by their values and judged by pixels and samples."""

import re

import numpy as np
import pandas as pd
import pytest
import soundfile
from panels import pixels, sounds
from tones import tone

from helpers import audio, augmentation, evaluation, features, plots, predict, widgets
from helpers.widgets import augmentation as preview_module
from helpers.widgets import panel

RATE = 16_000


def pitch(sound):
    samples, rate = sound
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    return spectrum.argmax() * rate / len(middle)


def predictions(clips):
    """A right, a wrong and an unsure verdict for the first three clips, right for the next two."""
    some = clips.head(5)
    other = some.label.map({"cat": "dog", "dog": "cat"})
    table = pd.DataFrame({"label": some.label, "predicted": some.label}, index=some.index)
    table.iloc[1, 1] = other.iloc[1]
    table["correct"] = table.predicted == table.label
    best = np.array([0.9, 0.8, 0.55, 0.7, 0.61])
    for name in ("cat", "dog"):
        table[f"p_{name}"] = np.where(table.predicted == name, best, 1 - best)
    return table


# ---- the explorer


def test_the_explorer_filters_by_length(synthetic):
    explorer = widgets.Explorer(synthetic)
    assert len(explorer.clip.options) == len(synthetic)
    explorer.length.value = (2.0, 3.0)
    chosen = synthetic.loc[list(explorer.clip.options)]
    assert 0 < len(chosen) < len(synthetic) and chosen.duration.between(2, 3).all()
    assert len(chosen) == synthetic.duration.between(2, 3).sum()
    explorer.label.value = "dog"
    assert set(synthetic.label[list(explorer.clip.options)]) == {"dog"}


def test_the_explorer_filters_by_verdict(synthetic):
    table = predictions(synthetic)
    explorer = widgets.Explorer(synthetic, table, first=synthetic.index[0])
    assert f"The model: {table.predicted.iloc[0]}, 90 % (right)" in explorer.note.value
    for verdict, rows in {"wrong": [1], "unsure": [2], "right": [0, 3, 4]}.items():
        explorer.verdict.value = verdict
        assert list(explorer.clip.options) == list(synthetic.index[rows])
        assert f"({verdict})" in explorer.note.value
    explorer.verdict.value, explorer.clip.value = "all", synthetic.index[9]
    assert "model" not in explorer.note.value  # it was not asked about this clip


def test_how_sure_the_model_must_be_is_an_argument(synthetic):
    explorer = widgets.Explorer(synthetic, predictions(synthetic), unsure_below=0.85)
    explorer.verdict.value = "unsure"
    assert list(explorer.clip.options) == list(synthetic.index[1:5])


@pytest.mark.parametrize("third", ["other", "neither"])
@pytest.mark.parametrize(
    ("probabilities", "said", "verdict"),
    [
        ((0.40, 0.28, 0.32), "neither, 32 %", "wrong"),  # a cat, though cat is likeliest
        ((0.42, 0.33, 0.25), "cat, 42 %", "unsure"),  # 0.56 of what is cat or dog
        ((0.48, 0.27, 0.25), "cat, 48 %", "right"),  # less than 0.6, but 0.64 of these
        ((0.10, 0.65, 0.25), "dog, 65 %", "wrong"),
    ],
)
def test_the_explorer_answers_as_the_classifier_does(
    synthetic, probabilities, said, verdict, third
):
    cats = synthetic[synthetic.label == "cat"].head(2)
    clips = cats.assign(label=["cat", "other"])
    names, limits = ["cat", "dog", third], {"unsure_below": 0.6, "other_from": 0.3}
    table = evaluation.table([probabilities, (0.4, 0.28, 0.32)], clips, names)
    explorer = widgets.Explorer(clips, table, **limits)
    assert f"The model: {said} ({verdict})" in explorer.note.value
    explorer.next.click()
    assert "The model: neither, 32 % (right)" in explorer.note.value
    card = {"names": ["cat", "dog", "neither"], "other": 2, **limits}
    outputs = {"probabilities": np.array([probabilities]), "level": np.array([[1.0]])}
    outputs["timeline"] = outputs["probabilities"][None]
    answer = predict.Classifier(lambda _: outputs, card).predict(tone(440), RATE)
    assert answer.label == ("unsure" if verdict == "unsure" else said.split(",")[0])


def test_the_slider_waits_until_it_is_let_go(synthetic):
    assert not widgets.Explorer(synthetic).length.continuous_update


def test_without_predictions_there_is_no_menu_for_them(synthetic):
    without = widgets.Explorer(synthetic)
    with_ = widgets.Explorer(synthetic, predictions(synthetic))
    assert without.verdict not in without.children[0].children
    assert with_.verdict in with_.children[0].children


def test_predictions_of_other_clips_are_refused(synthetic):
    with pytest.raises(ValueError, match="other clips"):
        widgets.Explorer(synthetic.head(3), predictions(synthetic.tail(5)))
    with pytest.raises(ValueError, match="no clips"):
        widgets.Explorer(synthetic.head(0))


def test_previous_and_next_go_round(synthetic):
    explorer = widgets.Explorer(synthetic.head(3))
    names, first = synthetic.index[:3], pixels(explorer)
    explorer.next.click()
    assert explorer.clip.value == names[1] and "(2 of 3)" in explorer.note.value
    assert (pixels(explorer) != first).mean() > 0.01
    explorer.next.click()
    explorer.next.click()
    assert explorer.clip.value == names[0] and np.array_equal(pixels(explorer), first)
    explorer.previous.click()
    assert explorer.clip.value == names[2]


def test_a_clip_that_passes_the_new_filter_stays(synthetic):
    explorer = widgets.Explorer(synthetic, first=synthetic.index[synthetic.label == "dog"][4])
    shown = explorer.clip.value
    explorer.label.value = "dog"
    assert explorer.clip.value == shown
    explorer.label.value = "cat"
    assert explorer.clip.value == synthetic.index[synthetic.label == "cat"][0]


def test_no_clip_left_is_said(synthetic):
    explorer = widgets.Explorer(synthetic, predictions(synthetic))
    explorer.verdict.value, explorer.length.value = "wrong", (17.0, 17.9)
    assert explorer.note.value == "No such clip." and explorer.picture.layout.display == "none"
    explorer.next.click()  # no error
    explorer.verdict.value = "all"
    assert explorer.picture.value and explorer.picture.layout.display is None


def test_waveform_and_spectrogram_share_their_time_axis():
    """A colour bar takes its room from both."""
    kept = []
    panel.png(lambda f: kept.append((plots.clip(tone(440, 2.0), figure=f), f.axes)))
    upper, lower = kept[0][1][:2]
    ends = [(ax.get_position().x0, ax.get_position().x1) for ax in (upper, lower)]
    assert ends[0] == pytest.approx(ends[1]) and ends[0][1] < 0.9
    assert upper.get_xlim() == lower.get_xlim() == (0, 2)


@pytest.mark.parametrize("samples", [1, 100, 600])
def test_a_very_short_clip_can_be_drawn(synthetic, tmp_path, samples):
    soundfile.write(tmp_path / "short.wav", tone(440)[:samples] + 0.1, RATE)
    clips = synthetic.head(1).copy()
    clips["path"], clips["duration"] = str(tmp_path / "short.wav"), samples / RATE
    explorer = widgets.Explorer(clips)
    assert explorer.picture.value and "0.0 s" in explorer.note.value


# ---- the spectrogram lab


@pytest.fixture
def lab():
    return widgets.SpectrogramLab({"tone": tone(1000), "<two>": tone(1000) + tone(1100), "bad": []})


def test_the_window_trades_time_for_frequency(lab):
    before, (seconds, hertz) = pixels(lab), lab.resolution
    assert (seconds, hertz) == pytest.approx((0.016, 62.5), rel=0.01)  # Hann, 32 ms
    lab.window.value = 128
    assert lab.resolution == pytest.approx((4 * seconds, hertz / 4), rel=0.01)
    assert "64 ms" in lab.note.value and "15.6 Hz" in lab.note.value
    assert (pixels(lab) != before).mean() > 0.01


@pytest.mark.parametrize(("shape", "bins"), [("none", 1.21), ("Hamming", 1.81), ("Hann", 2.00)])
def test_the_shapes_are_as_wide_as_in_harris(lab, shape, bins):
    lab.shape.value = shape
    assert lab.resolution[1] * 0.032 == pytest.approx(bins, abs=0.02)


def test_two_tones_part_when_the_window_is_long_enough(lab):
    lab.name.value = "<two>"
    for window, parted in [(8, False), (64, True)]:
        lab.window.value = window
        middle = lab.levels[len(lab.levels) // 2]
        at = [round(hertz * window / 1000) for hertz in (1000, 1050, 1100)]
        assert (middle[at[1]] < min(middle[at[0]], middle[at[2]]) - 6) == parted


def test_hop_scale_and_range(lab):
    frames = len(lab.levels)
    lab.hop.value = 16
    assert len(lab.levels) == pytest.approx(frames / 2, abs=1)
    assert lab.levels.shape[1] == 257 and lab.levels.max() == 0
    assert lab.levels[20].argmax() == 32  # 1000 Hz
    before = pixels(lab)
    lab.range.value = 30
    assert (pixels(lab) != before).mean() > 0.01
    lab.scale.value = "mel"
    assert lab.levels.shape[1] == 64 and "mel bands" in lab.note.value
    centre = features.mel_frequencies()[lab.levels[20].argmax()]
    assert abs(centre - 1000) < 60
    lab.window.value = 2
    assert "without a bin" in lab.note.value


def test_the_lab_plays_what_it_draws(lab):
    assert pitch(sounds(lab.sound.value)[0]) == pytest.approx(1000, abs=2)
    bundle = lab._repr_mimebundle_()
    assert "data:image/png;base64" in bundle["text/html"] and sounds(bundle["text/html"])


@pytest.mark.parametrize(
    "make", [widgets.SpectrogramLab, widgets.SampleRateLab, widgets.AugmentationPreview]
)
def test_a_bad_sound_is_said_and_the_lab_goes_on(make):
    lab = make({"tone": tone(1000), "bad": np.array([]), "<worse>": tone(5) * np.nan})
    for name in ("bad", "<worse>"):
        lab.name.value = name
        assert "no sound" in lab.note.value and not lab.picture.value and not lab.sound.value
    assert "&lt;worse&gt;" in lab.note.value
    lab.name.value = "tone"
    assert lab.picture.value and lab.sound.value


# ---- the sample-rate lab


def test_aliasing_is_heard_and_the_filter_ends_it():
    lab = widgets.SampleRateLab({"tone": tone(5000, amplitude=0.1)})
    lab.rate.value = 2
    assert lab.heard_rate == 8000 and "folded back" in lab.note.value
    before, after = sounds(lab.sound.value)
    assert [pitch(before), pitch(after)] == pytest.approx([5000, 3000], abs=2)
    picture = pixels(lab)
    lab.filter.value = True
    assert "filtered away" in lab.note.value and audio.level(lab.heard) < -60
    assert audio.level(sounds(lab.sound.value)[1][0]) < -60
    assert (pixels(lab) != picture).mean() > 0.01


@pytest.mark.parametrize("keep", [1, 2, 3, 4, 8, 16])
def test_every_rate_can_be_played(keep):
    lab = widgets.SampleRateLab({"tone": tone(200, amplitude=0.1)})
    lab.rate.value = keep
    assert len(lab.heard) == pytest.approx(RATE / keep, abs=1)
    assert pitch(sounds(lab.sound.value)[1]) == pytest.approx(200, abs=2)


def test_each_bit_is_worth_six_decibels():
    loud = tone(997, amplitude=0.9)
    lab = widgets.SampleRateLab({"tone": loud})
    lab.rate.value = 1
    assert "above" not in lab.note.value  # nothing is lost at the rate it has
    for bits in (8, 4):
        lab.bits.value = bits
        assert len(np.unique(lab.heard)) <= 2**bits
        said = float(re.search(r"<b>(\d+) dB below", lab.note.value)[1])
        assert said == pytest.approx(audio.level(loud) - audio.level(lab.heard - loud), abs=1)
        assert said == pytest.approx(6.02 * bits + 1.76, abs=2)


# ---- the preview of augmentations


@pytest.fixture(scope="module")
def shown():
    rng = np.random.default_rng(0)
    chirp = np.sin(2 * np.pi * np.cumsum(np.linspace(300, 2500, 24_000)) / RATE)
    hiss = 0.02 * rng.standard_normal(24_000)
    return widgets.AugmentationPreview({"chirp": 0.1 * chirp + hiss, "tone": tone(700, 1.5)})


def test_every_augmentation_and_degradation_can_be_chosen(shown):
    taught = {
        "roll",
        "pitch_shift",
        "crop",
        "equalise",
        "reverberate",
        "noise_floor",
        "mask",
        "mixup",
    }
    degradations = set(augmentation.DEGRADATIONS) - {"as recorded"}
    assert set(shown.kind.options) == taught | degradations


@pytest.mark.parametrize("kind", [*preview_module._PICTURES, *list(augmentation.DEGRADATIONS)[1:]])
def test_each_augmentation_is_seen_and_heard(shown, kind):
    shown.kind.value = kind
    assert kind in shown.note.value and shown.before.shape == shown.after.shape == (94, 64)
    assert np.abs(shown.after - shown.before).max() > 3
    (before, _), (after, _) = sounds(shown.sound.value)
    size = min(len(before), len(after))
    assert np.abs(before[:size] - after[:size]).max() > 0.003
    # what is heard after is what is seen after: about, for the phases are guessed, the MP3 lossy
    seen, clear = shown.after, shown.after > shown.after.max() - 30
    heard = np.array(features.log_mel(audio.fit_length(after, 24_000)))
    assert np.median(np.abs(heard - seen)[clear]) < 4


def test_a_mixture_needs_no_second_sound():
    alone = widgets.AugmentationPreview({"tone": tone(700, 1.5)})
    alone.kind.value = "mixup"
    assert alone.picture.value


def test_drawing_again_gives_another(shown):
    shown.kind.value = "noise_floor"
    first, picture = shown.after, pixels(shown)
    shown.again.click()
    assert not np.array_equal(shown.after, first) and (pixels(shown) != picture).any()
