"""Decoding, resampling and levels, held against numbers known beforehand."""

import os
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
import soundfile
from lessons import ROOT
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


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_numbers_are_damage_and_counted(tmp_path, value):
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.float32([[0.5, 0], [value, 0], [0.25, 0]]), 16_000, subtype="FLOAT")
    with pytest.raises(audio.AudioError, match=r"nan\.wav: damaged: 1 of its 3 samples are NaN"):
        audio.load(path)


def test_floats_of_the_scale_of_whole_numbers_are_read(tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, 2.0**31 * tone(440), 16_000, subtype="FLOAT")
    assert audio.load(path)[0].max() > 1e9


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_absurd_rates_are_refused_and_the_range_said(tmp_path, rate):
    soundfile.write(tmp_path / "odd.wav", tone(440), rate)
    said = f"odd.wav: a sample rate of {rate:,} Hz; from 1,000 to 768,000 are read"
    with pytest.raises(audio.AudioError, match=said):
        audio.load(tmp_path / "odd.wav")


@pytest.mark.parametrize("rate", audio.RATES)
def test_the_range_of_rates_holds_its_ends(tmp_path, rate):
    soundfile.write(tmp_path / "odd.wav", tone(440, rate=rate), rate)
    assert audio.load(tmp_path / "odd.wav", None)[1] == rate


CUT = {
    "wav": ({}, r"its header states 640,000 bytes of samples, and \d+,\d+ are there"),
    "flac": ({}, "decoder lost sync"),
    "ogg": ({}, "cut off: the page that marks its end is missing"),
    "opus.ogg": ({"format": "OGG", "subtype": "OPUS"}, "the page that marks its end is missing"),
    "mp3": ({}, r"its header states \d+ frames of sound, and \d+ are there; get the whole file"),
}


@pytest.mark.parametrize("share", [0.5, 0.93])
@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_off_is_said(tmp_path, name, share):
    options, said = CUT[name]
    path = tmp_path / f"a.{name}"
    soundfile.write(path, noise(20), 16_000, **options)
    assert len(audio.load(path)[0]) == pytest.approx(320_000, abs=2_000)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(audio.AudioError, match=said):
        audio.load(path)


def noise(seconds, rate=16_000):
    return 0.1 * np.random.default_rng(0).standard_normal(seconds * rate, np.float32)


def test_of_recordings_one_after_another_the_first_does_not_pass_for_all(tmp_path):
    soundfile.write(tmp_path / "a.ogg", noise(2), 16_000)
    (tmp_path / "a.ogg").write_bytes(2 * (tmp_path / "a.ogg").read_bytes())
    with pytest.raises(audio.AudioError, match=r"several recordings, .* convert it to WAV"):
        audio.load(tmp_path / "a.ogg")


def test_frames_are_not_sought_for_ever(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"\xff\xfb\x90\x64" * 2_500_000)
    start = time.monotonic()
    with pytest.raises(audio.AudioError):
        audio.load(tmp_path / "a.mp3")
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("rate", [44_100, 16_000])
@pytest.mark.parametrize("loud_first", [True, False])
def test_an_mp3_of_varying_bit_rate_that_states_no_length_is_read_whole(tmp_path, loud_first, rate):
    parts = [3 * noise(10, rate), 0.01 * tone(440, 30, rate=rate)]
    wave = np.concatenate(parts if loud_first else parts[::-1])
    path = tmp_path / "a.mp3"
    soundfile.write(path, wave, rate, bitrate_mode="VARIABLE")
    content = path.read_bytes()
    (start,) = {content.find(tag) for tag in (b"Xing", b"Info")} - {-1}
    path.write_bytes(content[content.find(b"\xff", start + 140) :])  # without the tag's frame
    assert len(audio.load(path)[0]) / 16_000 == pytest.approx(40, abs=0.15)
    frames, native, channels = audio.about(path)
    assert (frames / native, native, channels) == (pytest.approx(40, abs=0.15), rate, 1)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(audio.AudioError, match="cut off within a frame"):
        audio.load(path)


@pytest.mark.parametrize("stated", [0, 2**36 - 1])
def test_the_length_in_a_header_fills_no_memory(tmp_path, stated):
    """0 stands for unknown in a FLAC header; the other one would be 256 GiB."""
    soundfile.write(tmp_path / "a.flac", tone(440, 2.0), 16_000)
    content = bytearray((tmp_path / "a.flac").read_bytes())
    content[21:26] = bytes([content[21] & 0xF0 | stated >> 32]) + (stated % 2**32).to_bytes(4)
    (tmp_path / "a.flac").write_bytes(content)
    if stated:
        with pytest.raises(audio.AudioError, match=r"ends after 2\.0 s of the 4294967\.3 s"):
            audio.load(tmp_path / "a.flac")
    else:
        assert len(audio.load(tmp_path / "a.flac")[0]) == 32_000


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_blocks_are_resampled_as_the_whole(tmp_path, monkeypatch, rate):
    soundfile.write(tmp_path / "a.wav", noise(2, rate), rate, subtype="FLOAT")
    monkeypatch.setattr(audio, "_BLOCK", 1_000)
    expected = audio.resample(noise(2, rate), rate, 16_000)
    np.testing.assert_array_equal(audio.load(tmp_path / "a.wav")[0], expected)


def test_an_hour_fills_no_memory(tmp_path):
    """Silence of an hour is a small FLAC file; its waveform at 16 kHz takes 230 MB."""
    with soundfile.SoundFile(tmp_path / "a.flac", "w", 48_000, 2, "PCM_16") as file:
        for _ in range(60):
            file.write(np.zeros((60 * 48_000, 2), np.int16))
    tracemalloc.start()
    try:
        assert len(audio.load(tmp_path / "a.flac")[0]) == 3600 * 16_000
        assert tracemalloc.get_traced_memory()[1] < 400e6
    finally:
        tracemalloc.stop()


def test_what_is_longer_than_the_memory_may_hold_is_refused(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "a.flac", noise(50), 16_000)
    monkeypatch.setattr(audio, "_MOST", 4 * 36 * 16_000)
    monkeypatch.setattr(audio, "_BLOCK", 16_000)
    with pytest.raises(audio.AudioError, match=r"a\.flac: longer than 0\.0 h; cut it into shorter"):
        audio.load(tmp_path / "a.flac")


def test_a_name_beyond_the_systems_encoding_is_read(tmp_path):
    soundfile.write(tmp_path / "🐈.wav", noise(1), 16_000)
    code = "import sys; from helpers import audio; print(len(audio.load(sys.argv[1])[0]))"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "🐈.wav"],
        env=os.environ | plain | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "16000", done.stderr


def test_an_mp3_without_a_sound_is_not_called_missing(tmp_path):
    (tmp_path / "letter.mp3").write_bytes(b"a letter" * 100)
    with pytest.raises(audio.AudioError, match="there is no sound in it that can be read"):
        audio.load(tmp_path / "letter.mp3")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(audio.AudioError, match=r"pipe\.wav: a pipe, a socket or a device, no file"):
        audio.load(tmp_path / "pipe.wav")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.wav", None, "no such file"),
        ("damaged.wav", b"RIFF, then nonsense", "cannot be decoded"),
        ("nothing.wav", b"", "empty, it holds no bytes"),
        ("song.m4a", b"", "WAV, FLAC, OGG or MP3"),
        ("name: of two parts.wav", b"nonsense", "two parts.wav: cannot be decoded"),
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


def test_what_is_too_short_for_one_sample_at_the_new_rate_is_an_error(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.ones(1), 192_000)
    with pytest.raises(audio.AudioError, match="too short: 1 of its samples, at 192,000 Hz"):
        audio.load(tmp_path / "a.wav")
    assert len(audio.load(tmp_path / "a.wav", None)[0]) == 1


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
