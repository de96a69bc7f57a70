"""Augmentations change what they say and nothing else."""

import numpy as np
import pytest
import scipy.signal

from helpers import augmentation, features

PICTURES = ["roll", "pitch_shift", "crop", "equalise", "reverberate", "noise_floor"]


@pytest.fixture
def pictures():
    """40 pictures, 94 x 64, in dB: one call each, higher in pitch from picture to picture."""
    levels = np.full((40, 94, 64), -80, np.float32)
    for row, picture in enumerate(levels):
        picture[30:60, 5 + row : 15 + row] = -20
    return levels


@pytest.mark.parametrize("name", PICTURES)
def test_the_same_generator_gives_the_same_pictures(pictures, name):
    before, change = pictures.copy(), getattr(augmentation, name)
    once = change(pictures, np.random.default_rng(1))
    again = change(pictures, np.random.default_rng(1))
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(pictures, before)
    assert once.shape == pictures.shape and once.dtype == np.float32
    assert np.isfinite(once).all() and once.min() >= features.FLOOR_DB - 1e-3
    assert np.any(once != pictures)
    assert np.any(once != change(pictures, np.random.default_rng(2)))


def test_a_shift_moves_frames_round_and_loses_none(pictures):
    moved = augmentation.roll(pictures, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(moved, axis=1), np.sort(pictures, axis=1))


def test_a_transposition_moves_bands_by_three_at_most(pictures):
    got = augmentation.pitch_shift(pictures[:30], np.random.default_rng(0))
    moved = np.array([np.flatnonzero(one.max(0) > -50)[0] for one in got]) - np.arange(5, 35)
    assert set(moved) == set(range(-3, 4))
    np.testing.assert_array_equal((got.max(2) > -50).sum(1), 30)


def test_pitch_classes_turn_round():
    """Above B comes C: none is lost, and none doubled."""
    classes = np.arange(12, dtype=np.float32) + np.zeros((50, 94, 1), np.float32)
    got = augmentation.pitch_shift(classes, np.random.default_rng(0), cyclic=True)
    moved = {int(one[0, 0]) for one in got}
    assert moved == {9, 10, 11, 0, 1, 2, 3}
    for one in got:
        np.testing.assert_array_equal(one, np.roll(classes[0], -int(one[0, 0]), axis=1))
    clipped = augmentation.pitch_shift(classes, np.random.default_rng(0))
    assert np.any(np.sort(clipped, axis=2) != classes)


def test_a_room_is_an_exponential_decay_of_power(pictures):
    """Row by row the same as the recursion written out, whatever else is in the batch."""
    windows, rng = pictures - 10, np.random.default_rng(5)
    got = augmentation.reverberate(windows, np.random.default_rng(5))
    chosen = np.flatnonzero(rng.random(len(windows)) < 0.5)
    decay, ratio = rng.uniform(0.1, 1.0, len(chosen)), rng.uniform(-6, 15, len(chosen))
    for row, seconds, direct in zip(chosen, decay, ratio):
        keep, power = 10 ** (-6 * 256 / 16_000 / seconds), 10 ** (windows[row] / 10.0)
        tail = scipy.signal.lfilter([0, 1 - keep], [1, -keep], power, axis=0)
        expected = 10 * np.log10(power + tail * 10 ** (-direct / 10))
        np.testing.assert_allclose(got[row], expected, atol=1e-3)
    others = np.setdiff1d(np.arange(len(windows)), chosen)
    np.testing.assert_array_equal(got[others], windows[others])


def test_an_mp3_stands_where_the_sound_stood():
    rng, click = np.random.default_rng(0), np.zeros(20_000, np.float32)
    click[9_000:9_400] = 0.3 * rng.standard_normal(400)
    click[19_900:] = 0.3 * rng.standard_normal(100)
    got = augmentation.compress(click)
    assert got.shape == click.shape
    lag = scipy.signal.correlate(got, click).argmax() - (len(click) - 1)
    assert lag == 0 and np.corrcoef(got, click)[0, 1] > 0.5
    assert np.abs(got[19_900:]).max() > 0.05  # the end is not cut off


def test_a_crop_keeps_a_stretch_around_the_loudest_moment(pictures):
    pictures = pictures + 40  # audible everywhere
    pictures[:, 45, 20] = 40
    got = augmentation.crop(pictures, np.random.default_rng(3))
    cropped = np.flatnonzero((got == features.FLOOR_DB).any(axis=(1, 2)))
    assert 3 < len(cropped) < 20
    for row in cropped:
        kept = np.flatnonzero((got[row] > features.FLOOR_DB).all(1))
        assert 45 in kept and np.all(np.diff(kept) == 1)
        assert 0.25 <= len(kept) * 0.016 <= 1.25


def test_another_microphone_adds_the_same_curve_to_every_frame(pictures):
    got = augmentation.equalise(pictures + 60, np.random.default_rng(0))
    change = np.where(got > features.FLOOR_DB, got - pictures - 60, 0)  # the floor hides the curve
    call = change[np.arange(40), 30:60, 10 + np.arange(40)]
    np.testing.assert_allclose(call, call[:, :1] + 0 * call, atol=1e-3)
    assert 3 < np.std(call[:, 0]) < 20


def test_a_room_lets_sounds_die_away_and_adds_nothing_before_them(pictures):
    got = augmentation.reverberate(pictures, np.random.default_rng(0))
    changed = np.flatnonzero((got != pictures).any(axis=(1, 2)))
    assert 10 < len(changed) < 30
    for row in changed:
        band = got[row][:, 10 + row]
        assert np.all(band[:30] < -72)  # the floor echoes too
        assert band[60] > -70
        tail = band[60:][band[60:] > -70]  # below, the floor echoes
        assert np.all(np.diff(tail) < 0)


def test_noise_fills_the_silence_and_leaves_the_call(pictures):
    got = augmentation.noise_floor(pictures, np.random.default_rng(0))
    assert np.median(got[:, :20]) > -79
    assert np.all(got >= pictures - 1e-3)


def test_a_mask_hides_a_band_and_a_stretch():
    ones = np.ones((50, 94, 64, 1), np.float32)
    got = augmentation.mask(ones, np.random.default_rng(0))[..., 0]
    bands, frames = (got == 0).all(1).sum(1), (got == 0).all(2).sum(1)
    assert 5 < bands.max() <= 10 and 8 < frames.max() <= 15
    rest = 94 * bands + 64 * frames - bands * frames
    np.testing.assert_array_equal((got == 0).sum((1, 2)), rest)


def test_mixup_mixes_pictures_and_labels_alike():
    pictures = np.arange(200, dtype=np.float32).reshape(200, 1, 1, 1)
    targets = np.eye(2, dtype=np.float32)[np.arange(200) % 2]
    x, y = augmentation.mixup(100 * (pictures % 2), targets, np.random.default_rng(0))
    np.testing.assert_allclose(x[:, 0, 0, 0], 100 * y[:, 1], atol=1e-3)
    np.testing.assert_allclose(y.sum(1), 1, atol=1e-6)
    assert np.all(np.diag(y @ targets.T) >= 0.5 - 1e-6)  # its own label stays the larger one
    assert 0.05 < np.mean(y.max(1) < 0.99) < 0.9


@pytest.mark.parametrize("ratio", [-10.0, 0.0, 20.0])
def test_noise_comes_at_the_ratio_asked_for(ratio):
    wave = np.sin(np.arange(16_000) / 5).astype(np.float32)[None]
    hiss = augmentation.add_noise(wave, ratio, np.random.default_rng(0)) - wave
    assert 10 * np.log10(np.mean(wave**2) / np.mean(hiss**2)) == pytest.approx(ratio, abs=0.01)


def test_an_echo_decays_as_asked():
    click = np.zeros((1, 32_000), np.float32)
    click[0, 0] = 1
    tail = augmentation.echo(click, 0.5, 0.0, np.random.default_rng(0))[0, 1:16_000]
    assert 10 * np.log10(np.sum(tail**2)) == pytest.approx(0, abs=0.1)
    energy = [np.sum(tail[start : start + 1_600] ** 2) for start in (0, 4_000)]
    assert 10 * np.log10(energy[0] / energy[1]) == pytest.approx(30, abs=2)


def test_degradations_keep_the_length_and_do_what_they_say():
    rng = np.random.default_rng(0)
    wave = (0.1 * rng.standard_normal(20_001)).astype(np.float32)
    got = {name: change(wave, rng) for name, change in augmentation.DEGRADATIONS.items()}
    assert all(abs(len(one) - len(wave)) <= 1 for one in got.values())
    np.testing.assert_array_equal(got["as recorded"], wave)
    power = {name: np.abs(np.fft.rfft(one[:20_000])) ** 2 for name, one in got.items()}
    assert power["at 8 kHz"][5_500:].sum() < 1e-4 * power["as recorded"][5_500:].sum()
    soft = got["40 dB softer, 16 bit"]
    assert np.std(soft) == pytest.approx(0.001, rel=0.05)
    np.testing.assert_allclose(soft * 32768, np.round(soft * 32768), atol=1e-3)
    added = got["as much noise as sound (0 dB)"] - wave
    assert np.mean(added**2) == pytest.approx(np.mean(wave**2), rel=0.01)
    assert np.corrcoef(got["MP3 at 32 kbit/s"], wave)[0, 1] < 0.9999


def test_another_sound_lies_under_a_window():
    rng = np.random.default_rng(0)
    loud, soft = np.full((200, 94, 64), -30.0, np.float32), np.full((200, 94, 64), -30.0)
    together = augmentation.lay_under(loud, soft.astype(np.float32), rng)
    added = together[:, 0, 0] + 30
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, together[:, :1, :1] + 0 * together, atol=1e-4)
    low, high = 10 * np.log10(1 + 10**-2), 10 * np.log10(1 + 10**0.6)
    assert low <= added.min() < 0.2 and high - 1 < added.max() <= high + 1e-3


def test_what_no_animal_makes_is_silence_noise_and_tones():
    made = augmentation.lifeless(np.zeros((400, 94, 64), np.float32), np.random.default_rng(0))
    assert made.shape == (400, 94, 64) and made.dtype == np.float32
    assert np.isfinite(made).all() and made.min() >= features.FLOOR_DB
    silent = (made == features.FLOOR_DB).all(axis=(1, 2))
    assert 0.15 < silent.mean() < 0.35
    sound = made[~silent]
    flat = np.ptp(np.median(sound, axis=1), axis=1)  # between the bands, over time
    assert (flat > 40).mean() > 0.5, "tones stand out"
    assert (flat < 40).mean() > 0.2, "noise does not"
