"""Decoding, resampling and levels, held against numbers known beforehand."""

import numpy as np
import pytest
import soundfile
from tones import tone

from helpers import audio


def _peak_hz(waveform, rate):
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return np.argmax(spectrum) * rate / len(waveform)


@pytest.mark.parametrize("ending", audio.FORMATS)
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_every_format_keeps_pitch_length_and_level(tmp_path, ending, rate):
    path = tmp_path / f"tone{ending.upper()}"
    soundfile.write(path, tone(440, rate=rate), rate, format=ending[1:].upper())
    waveform, got_rate = audio.load(path)
    assert got_rate == 16_000 and waveform.dtype == np.float32 and waveform.ndim == 1
    assert abs(len(waveform) / 16_000 - 1) < 0.11  # an MP3 is padded to whole frames
    assert abs(_peak_hz(waveform[2000:14000], 16_000) - 440) < 2
    assert abs(audio.level(waveform[2000:14000]) - (-9.03)) < 0.5


def test_channels_are_averaged(tmp_path):
    path = tmp_path / "stereo.wav"
    left = tone(300)
    soundfile.write(path, np.stack([left, -left / 2], axis=1), 16_000, subtype="FLOAT")
    waveform, _ = audio.load(path)
    np.testing.assert_allclose(waveform, left / 4, atol=1e-6)


def test_the_files_own_rate_is_kept_on_request(tmp_path):
    path = tmp_path / "tone.wav"
    soundfile.write(path, tone(440, rate=22_050), 22_050)
    waveform, rate = audio.load(path, sample_rate=None)
    assert (rate, len(waveform)) == (22_050, 22_050)


def test_not_a_number_becomes_silence(tmp_path):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([0.5, np.nan, 0.25], np.float32), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(audio.load(path)[0], [0.5, 0, 0.25])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.wav", None, "no such file"),
        ("damaged.wav", b"RIFF, then nonsense", "cannot be decoded"),
        ("nothing.wav", b"", "empty, it holds no bytes"),
        ("song.m4a", b"", "WAV, FLAC, OGG or MP3"),
    ],
)
def test_an_unusable_file_is_named_with_its_fault(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(audio.AudioError, match=message) as caught:
        audio.load(tmp_path / name)
    assert name in str(caught.value) and str(tmp_path) not in str(caught.value)


def test_a_folder_is_called_one(tmp_path):
    with pytest.raises(audio.AudioError, match="a folder without a sound file in it; name files"):
        audio.load(tmp_path)


def test_a_file_without_samples_is_an_error(tmp_path):
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    with pytest.raises(audio.AudioError, match="holds no samples"):
        audio.load(tmp_path / "empty.wav")


def test_resampling_filters_what_the_new_rate_cannot_hold():
    high = tone(6000)
    assert audio.level(audio.resample(high, 16_000, 8000)[500:-500]) < -80
    low = audio.resample(tone(1000), 16_000, 8000)
    assert len(low) == 8000 and abs(_peak_hz(low, 8000) - 1000) < 2


@pytest.mark.parametrize("rates", [(0, 8000), (8000, -1)])
def test_rates_must_be_above_zero(rates):
    with pytest.raises(ValueError, match="above 0"):
        audio.resample(np.zeros(10), *rates)


def test_level_of_known_signals():
    assert audio.level(np.ones(10)) == pytest.approx(0)
    assert audio.level(tone(100, amplitude=1)) == pytest.approx(-3.01, abs=0.01)
    assert audio.level(np.zeros(10)) == -np.inf
    with pytest.raises(ValueError, match="empty"):
        audio.level([])


def test_fit_length_cuts_and_pads():
    np.testing.assert_array_equal(audio.fit_length([1, 2, 3], 2), [1, 2])
    np.testing.assert_array_equal(audio.fit_length([1, 2, 3], 5), [1, 2, 3, 0, 0])
    with pytest.raises(ValueError, match="at least 1"):
        audio.fit_length([1], 0)
