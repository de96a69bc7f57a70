"""From a file to a waveform: decode, mix down, resample, measure the level."""

import io
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from helpers import whole

SAMPLE_RATE = 16_000
FORMATS = (".wav", ".flac", ".ogg", ".mp3")
RATES = (1_000, 768_000)  # Hz: outside it, a header is wrong, or what it holds is no sound
MOST_ODDS = 20  # to 1, for or against: a window that is surer counts no more, or no less
_LOUDEST = 2.0**32  # floats that hold whole numbers of 32 bits by mistake reach half of it
_UNKNOWN = 2.0**60  # frames: a stream's header states no length
_EXCUSES = ("regular file", "nternal", "System error")  # libsndfile's, of an odd MP3 or header
_FAULTS = (soundfile.LibsndfileError, RuntimeError, OSError, UnicodeError)
_SLACK = 2**13  # samples, the longest block of an OGG file: encoders count one more or less
_MOST = 2**31  # bytes of a waveform: 9 hours at 16 kHz
_BLOCK = 2**22  # samples at a time, over all channels


class AudioError(ValueError):
    """A file cannot be used as audio; the message says why and what to do."""


def load(path: str | Path, sample_rate: int | None = SAMPLE_RATE) -> tuple[np.ndarray, int]:
    """Read an audio file as one channel of floats.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        path: WAV, FLAC, OGG or MP3; 1,000 to 768,000 Hz, any number of channels.
        sample_rate: Hz to resample to, or None to keep the file's own.

    Returns:
        waveform: float32, shape (samples,), full scale at +-1, channels averaged.
        sample_rate: Hz.

    Raises:
        AudioError: the file is missing, of another format, damaged (cut off, or with samples that
            are not finite), of many hours, or holds no samples. A WAV file whose header states no
            length yet, as some recorders leave it, is read as far as it goes.

    Source: soxr's high-quality resampler, which removes what the new rate cannot hold.
    """
    path = Path(path)
    _check_format(path)
    try:
        file, stated = _opened(path)
        with file:
            native_rate, form = file.samplerate, file.format
            _check_rate(path, native_rate)
            waveform, samples, odd = _decoded(file, sample_rate or native_rate)
    except _FAULTS as error:
        raise _undecodable(path, error) from None
    if not samples:
        raise AudioError(f"{path.name}: empty, it holds no samples")
    if waveform.nbytes > _MOST:
        most = f"{_MOST / waveform.itemsize / (sample_rate or native_rate) / 3600:.1f} h"
        raise AudioError(f"{path.name}: longer than {most}; cut it into shorter files")
    slack = min(_SLACK, stated / 10) if form in ("OGG", "MP3") else 0
    if samples < stated - slack < _UNKNOWN:
        seconds = f"{samples / native_rate:.1f} s of the {stated / native_rate:.1f} s"
        raise AudioError(f"{path.name}: damaged: it ends after {seconds} that it states")
    if odd:
        count = f"{odd:,} of its {samples:,} samples"
        raise AudioError(f"{path.name}: damaged: {count} are NaN, infinite or beyond any scale")
    if not len(waveform):
        length = f"{samples} of its samples, at {native_rate:,} Hz"
        raise AudioError(f"{path.name}: too short: {length}, make none at {sample_rate:,} Hz")
    return waveform, sample_rate or native_rate


def about(path: str | Path) -> tuple[int, int, int]:
    """The length of a sound file as it states it, without decoding it.

    Returns:
        frames: samples of a channel.
        sample_rate: Hz.
        channels: their number.

    Raises:
        AudioError: it cannot be opened, or lacks some of what it promises.
    """
    path = Path(path)
    _check_format(path)
    try:
        file, frames = _opened(path)
    except _FAULTS as error:
        raise _undecodable(path, error) from None
    with file:
        return frames, file.samplerate, file.channels


def resample(waveform: np.ndarray, from_rate: float, to_rate: float) -> np.ndarray:
    """Change the sample rate; what lies above half the new rate is filtered away.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        waveform: float32, shape (samples,).
        from_rate, to_rate: Hz, above 0.

    Returns:
        float32, shape (samples * to_rate / from_rate,).

    Raises:
        ValueError: a rate is not above 0.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(f"sample rates must be above 0 Hz, not {from_rate} and {to_rate}")
    waveform = np.asarray(waveform, np.float32)
    return waveform if from_rate == to_rate else soxr.resample(waveform, from_rate, to_rate)


def level(waveform: np.ndarray) -> float:
    """RMS level (dB): 0 is a square wave at full scale; silence gives -inf.

    Not the dBFS of AES17, where a full-scale sine has 0: that lies 3.01 dB higher.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        waveform: float, shape (samples,), full scale at +-1.

    Returns:
        float, dB: 0 for a full-scale square wave, -3.01 for a full-scale sine.

    Raises:
        ValueError: the waveform is empty.

    >>> square = np.array([0.5, -0.5, 0.5, -0.5])
    >>> round(level(2 * square), 2), round(level(square), 2)
    (0.0, -6.02)
    """
    waveform = np.asarray(waveform, np.float64)
    if not waveform.size:
        raise ValueError("the waveform is empty: it has no level")
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.mean(waveform**2)))


def window_weights(values: np.ndarray, level: np.ndarray, other: int | None = None) -> np.ndarray:
    """By how much each window of a clip counts: its RMS level.

    Where one class stands for anything else, it is the level times the odds that the window is not
    that: a bark far away in a street is heard in one window and missing in ten. Odds beyond
    MOST_ODDS to 1, for or against, count as these: the surest windows must not hide the rest.

    Args:
        values: float, shape (windows, classes): logits, or logarithms of probabilities.
        level: float, shape (windows,), at least 0: RMS, 1 at full scale, not in dB.
        other: the column of the class that stands for anything else, if there is one.

    Returns:
        float, shape (windows,), summing to 1; or 0 if all is silence.
    """
    level = np.asarray(level, float)
    if other is not None:
        odds = np.logaddexp.reduce(np.delete(values, other, axis=1), axis=1) - values[:, other]
        level = level * np.exp(np.clip(odds, -np.log(MOST_ODDS), np.log(MOST_ODDS)))
    return level / max(level.sum(), 1e-30)


def level_weighted_mean(
    values: np.ndarray, level: np.ndarray, other: int | None = None
) -> np.ndarray:
    """Mean over windows, each counting by its level: a clip's answer from its windows'.

    In a model made by export.from_waveform Keras does the same.

    Args:
        values, level, other: as window_weights.

    Returns:
        float, shape (classes,); 0 if all is silence.

    >>> level_weighted_mean(np.array([[4.0, 0.0], [0.0, 8.0]]), np.array([3.0, 1.0]))
    array([3., 2.])
    """
    return window_weights(values, level, other) @ values


def fit_length(waveform: np.ndarray, samples: int) -> np.ndarray:
    """Cut a waveform, or pad it with zeros at its end, to a given number of samples.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        waveform: float32, shape (n,).
        samples: the length wanted, at least 1.

    Returns:
        float32, shape (samples,).

    Raises:
        ValueError: samples is below 1.

    >>> fit_length(np.array([1, 2, 3]), 2)
    array([1., 2.], dtype=float32)
    >>> fit_length(np.array([1, 2]), 4)
    array([1., 2., 0., 0.], dtype=float32)
    """
    if samples < 1:
        raise ValueError(f"samples must be at least 1, not {samples}")
    waveform = np.asarray(waveform, np.float32)[:samples]
    return np.pad(waveform, (0, samples - len(waveform)))


class _Stream(soundfile.SoundFile):
    """Read from its beginning to its end, and never sought in: a header's length may be a lie."""

    def seekable(self):
        """False, so that no read ends with a seek."""
        return False


def _opened(path):
    """A file to be read as a stream, and the number of frames that it states or must hold.

    Raises:
        AudioError: it lacks some of what it promises.
    """
    # bytes: the name need not be one in the encoding that Python takes the system's to be
    file = _Stream(path if os.name == "nt" else os.fsencode(path))
    fault = whole.fault(path, file.format)
    if fault:
        file.close()
        raise AudioError(f"{path.name}: {fault}")
    held = whole.untold(path) if file.format == "MP3" else None
    if held and held > file.frames + _SLACK:
        file.close()
        file = _Stream(io.BytesIO(whole.told(path)))
    return file, held or file.frames


def _decoded(file, rate):
    """The mean of an open file's channels at a rate, by blocks: no header or hour fills the memory.

    Returns:
        waveform: float32; where it is larger than _MOST, the rest is not read.
        samples: their number at the file's own rate.
        odd: how many of these are no numbers, or beyond any scale.
    """
    same = rate == file.samplerate
    stream = None if same else soxr.ResampleStream(file.samplerate, rate, 1, "float32")
    held, count, odd = bytearray(), 0, 0
    while len(held) <= _MOST:
        block = file.read(max(1, _BLOCK // file.channels), "float32", always_2d=True)
        with np.errstate(invalid="ignore", over="ignore"):
            mixed = block.mean(axis=1)
        count += len(mixed)
        odd += np.count_nonzero(~(np.abs(mixed) <= _LOUDEST))
        held += (mixed if same else stream.resample_chunk(mixed, not len(block))).tobytes()
        if not len(block):
            break
    return np.frombuffer(held, np.float32), count, odd


def _undecodable(path, error):
    reason = getattr(error, "error_string", error)  # the whole text would hold the full path
    if any(excuse in str(reason) for excuse in _EXCUSES):
        reason = "there is no sound in it that can be read"
    return AudioError(f"{path.name}: cannot be decoded ({reason})")


def _check_rate(path, rate):
    if not RATES[0] <= rate <= RATES[1]:
        raise AudioError(
            f"{path.name}: a sample rate of {rate:,} Hz; from {RATES[0]:,} to {RATES[1]:,} are read"
        )


def _check_format(path):
    """Refuse what is no file with an ending that the course reads, before it is opened.

    Raises:
        AudioError: names the formats that can be read, or says what it is instead.
    """
    if os.path.isdir(path):
        raise AudioError(f"{path.name}: a folder without a sound file in it; name files")
    if path.suffix.lower() not in FORMATS:
        raise AudioError(
            f"{path.name}: not a format read here; convert it to WAV, FLAC, OGG or MP3"
        )
    if not os.path.isfile(path):  # to open a pipe would wait for whoever writes into it
        other = "a pipe, a socket or a device, no file" if os.path.exists(path) else "no such file"
        raise AudioError(f"{path.name}: {other}")
    if not path.stat().st_size:
        raise AudioError(f"{path.name}: empty, it holds no bytes")
    if not os.access(path, os.R_OK):
        raise AudioError(f"{path.name}: you may not read it; change its permissions")
