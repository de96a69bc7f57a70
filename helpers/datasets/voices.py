"""Calls of cats and dogs from a source-filter model.

A call is a source shaped by a filter (Fant, *Acoustic Theory of Speech Production*, 1960). The
source is a train of glottal pulses, whose rate is the pitch, plus turbulent noise; uneven pulses
give the subharmonics and the chaos of a harsh voice (Fitch, Neubauer and Herzel 2002). The filter
is a tube closed at the glottis and open at the mouth, whose resonances, the formants, lie at odd
multiples of c / 4L; an opening mouth raises them. A larger animal has a longer tract and so lower
formants (Riede and Fitch 1999): that, more than pitch, tells a dog from a cat.

Taught in notebooks/01_waveforms.ipynb.
"""

import numpy as np
from scipy import signal
from scipy.interpolate import CubicSpline, PchipInterpolator

SAMPLE_RATE = 16_000  # Hz
_SOUND_SPEED = 350.0  # m/s in warm, moist breath
_FRAME, _HOP = 512, 256  # samples: 32 ms frames resolve a formant and follow its glide


def meow(rng=0, *, pitch=None, duration=None):
    """A meow: a voiced call whose formants rise and fall as the mouth opens and closes.

    Adult meows last about 0.4 to 2 s at a mean pitch of some 400 to 800 Hz, kittens' are higher
    (Nicastro 2004; Schötz, van de Weijer and Eklund 2019).

    Taught in notebooks/01_waveforms.ipynb. Arguments, result and errors as for call.
    """
    return call("meow", rng, pitch=pitch, duration=duration)


def bark(rng=0, *, pitch=None, duration=None):
    """A bark: a sudden, rough burst of 80 to 300 ms whose pitch shoots up and falls.

    Barks mix harmonics, subharmonics and noise; pitch and tonality vary with the context
    (Feddersen-Petersen 2000; Yin 2002; Pongrácz et al. 2005).

    Taught in notebooks/01_waveforms.ipynb. Arguments, result and errors as for call.
    """
    return call("bark", rng, pitch=pitch, duration=duration)


def call(kind, rng=0, *, pitch=None, duration=None, size=None):
    """One call of a given kind.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        kind: cats "meow", "mew", "harsh_meow", "yowl", "hiss", "purr", "cat_growl";
            dogs "bark", "bark_howl", "howl", "whine", "dog_growl".
        rng: numpy.random.Generator, or an int seed.
        pitch: Hz, the highest of the call, 100 to 2,000; None draws one that suits the kind.
            A hiss, a purr or a growl has no free pitch and ignores it.
        duration: seconds, 0.05 to 10; None draws one.
        size: 0 for the smallest animal of the species to 1 for the largest; None draws one.

    Returns:
        float32, shape (samples,), at SAMPLE_RATE, peak at most 1.

    Raises:
        ValueError: the kind is unknown, or the pitch, duration, size or seed is out of range.
    """
    if kind not in _KINDS:
        raise ValueError(f"unknown call {kind!r}: choose one of {', '.join(_KINDS)}")
    limits = {"pitch": (pitch, 100, 2_000), "duration": (duration, 0.05, 10), "size": (size, 0, 1)}
    for name, (value, low, high) in limits.items():
        if value is not None and not low <= value <= high:
            raise ValueError(f"{name} must lie between {low} and {high}, got {value}")
    if not isinstance(rng, np.random.Generator):
        if not isinstance(rng, (int, np.integer)) or rng < 0:
            raise ValueError(f"rng must be a numpy Generator or a seed of 0 or more, got {rng!r}")
        rng = np.random.default_rng(rng)
    size = rng.random() if size is None else size
    return (_unit(_KINDS[kind](rng, pitch, duration, size)) * 0.99).astype(np.float32)


# ---- cats: tracts of 6.5 to 10 cm
def _meow(rng, pitch, duration, size, harsh=None):
    u = rng.uniform
    pitch = pitch or _lognormal(rng, 640 - 160 * size, 0.28, 250, 1_200)
    n = round((duration or _lognormal(rng, 0.8, 0.45, 0.4, 2.0)) * SAMPLE_RATE)
    harsh = rng.choice([0, 0.2, 0.5], p=[0.65, 0.2, 0.15]) if harsh is None else harsh
    shape = rng.choice(["arch", "fall", "level", "closing"], p=[0.35, 0.2, 0.15, 0.3])
    closing = shape == "closing"  # the mouth starts open: a bright beginning and a dull end
    peak = u(0.04, 0.2) if closing else u(0.15, 0.7)
    start = {"arch": u(0.1, 0.5), "fall": 0.0, "level": 0.05, "closing": 0.1}[shape]
    end = 0 if shape == "level" else u(0.03, 0.5)
    f0 = pitch * 2 ** _path(rng, n, [0, peak, 1], [-start, 0, -end], 0.012)
    opened = rng.choice([u(0.45, 0.75), u(0.75, 1.3)], p=[0.4, 0.6])
    first = 1.0 if closing else u(0.4, 0.9)
    opening = opened * _path(rng, n, [0, peak, 1], [first, 1, u(0.35, 0.9)], 0.02)
    level = _path(rng, n, [0, peak, 1], [-u(0, 10), 0, -u(4, 18)], 1.0)
    return _voice(
        rng,
        f0,
        level,
        (u(0.01, 0.03) if closing else u(0.015, 0.1), 0.1),
        length=0.065 + 0.035 * size,
        opening=opening,
        tilt=-u(6, 22),
        breath=u(0.01, 0.1) + 0.2 * harsh,
        rough=0.02 + harsh,
        subharmonic=harsh * rng.random(),
        first=u(-6, 5),
    )


def _yowl(rng, pitch, duration, size):
    u = rng.uniform
    pitch = pitch or _lognormal(rng, 500, 0.3, 250, 1_000)
    n, points = round((duration or u(1.5, 5)) * SAMPLE_RATE), np.linspace(0, 1, 6)
    f0 = pitch * 2 ** _path(rng, n, points, -u(0, 0.5, 6), 0.012)
    harsh = rng.choice([0, 0.3, 0.8])
    return _voice(
        rng,
        f0,
        _path(rng, n, points, -u(0, 9, 6), 1.0),
        (0.1, 0.2),
        length=0.065 + 0.035 * size,
        opening=_path(rng, n, points, u(0.45, 1.2, 6), 0.02),
        tilt=-u(6, 22),
        breath=u(0.01, 0.1) + 0.2 * harsh,
        rough=_path(rng, n, points, harsh * rng.random(6), 0.0),
        subharmonic=harsh * rng.random(),
        first=u(-6, 3),
    )


def _hiss(rng, pitch, duration, size):
    n = round((duration or rng.uniform(0.3, 1.5)) * SAMPLE_RATE)
    return _voice(
        rng,
        np.full(n, 50.0),
        _path(rng, n, [0, 0.2, 1], [-8, 0, -12], 2.0),
        (0.02, 0.15),
        length=0.065 + 0.035 * size,
        opening=np.full(n, 1.1),
        tilt=rng.uniform(-5, 0),
        breath=30.0,
        rough=1.0,
        first=-12.0,
    )


def _purr(rng, pitch, duration, size):
    # The larynx opens and shuts some 25 times a second on both breaths (Frazer Sissom et al. 1991).
    u = rng.uniform
    n = round((duration or u(2, 6)) * SAMPLE_RATE)
    f0 = _path(rng, n, [0, 0.5, 1], u(22, 30, 3), 0.5)
    level = 4 * np.sin(2 * np.pi * (np.arange(n) / SAMPLE_RATE * u(0.5, 0.9)))
    return _voice(
        rng,
        f0,
        level,
        (0.1, 0.1),
        length=0.08 + 0.03 * size,
        opening=np.full(n, 0.5),
        tilt=-u(6, 12),
        breath=u(0.3, 1),
        rough=0.3,
        throb=0.9,
        first=3.0,
    )


# ---- dogs: tracts of 8 to 18 cm
def _bark(rng, pitch, duration, size):
    u = rng.uniform
    pitch = pitch or _lognormal(rng, 800 - 350 * size, 0.3, 220, 1_200)
    n = round((duration or _lognormal(rng, 0.16, 0.35, 0.08, 0.3)) * SAMPLE_RATE)
    peak = u(0.2, 0.5)
    f0 = pitch * 2 ** _path(rng, n, [0, peak, 1], [-u(0.3, 0.9), 0, -u(0.3, 1)], 0.02)
    harsh = u(0.2, 1.0)
    return _voice(
        rng,
        f0,
        _path(rng, n, [0, 0.25, 1], [-6, 0, -u(6, 18)], 1.0),
        (0.012, 0.05),
        length=0.08 * 2.2**size,
        opening=_path(rng, n, [0, peak, 1], [0.7, 1.1, 0.75], 0.02),
        tilt=-u(9, 17),
        breath=u(0.1, 0.6),
        rough=harsh,
        subharmonic=harsh * rng.random(),
        first=u(-2, 8),
    )


def _howl(rng, pitch, duration, size, start=0.3):
    u = rng.uniform
    pitch = pitch or _lognormal(rng, 470 - 180 * size, 0.25, 200, 900)
    n = round((duration or u(1.5, 6)) * SAMPLE_RATE)
    octaves = [-start, 0, -u(0, 0.25), -u(0.05, 0.5)]
    f0 = pitch * 2 ** _path(rng, n, [0, u(0.08, 0.3), 0.6, 1], octaves, 0.01)
    split = np.arange(n) > u(0.1, 1.5) * n  # the voice may break into period doubling
    return _voice(
        rng,
        f0,
        _path(rng, n, [0, 0.2, 0.7, 1], [-4, 0, -2, -6], 0.7),
        (0.05, 0.15),
        length=0.08 * 2.2**size,
        opening=_path(rng, n, [0, 0.2, 1], [0.9, 1, u(0.7, 1)], 0.02),
        tilt=-u(13, 24),
        breath=u(0.01, 0.1),
        rough=u(0, 0.1),
        subharmonic=rng.random() * split,
        first=u(-2, 8),
    )


def _bark_howl(rng, pitch, duration, size):
    # One or two barks that run into a howl, sometimes with a bark at its end.
    u = rng.uniform
    pitch = pitch or _lognormal(rng, 560 - 200 * size, 0.25, 230, 900)
    duration = duration or u(1.5, 5)
    parts = [_unit(_bark(rng, pitch * u(0.9, 1.2), None, size)) for _ in range(rng.integers(1, 3))]
    rest = max(0.5, duration - sum(map(len, parts)) / SAMPLE_RATE)
    howl = _howl(rng, pitch * u(0.6, 0.9), rest, size, start=0.0)
    parts.append(u(0.5, 1.0) * _unit(howl))
    if rng.random() < 0.4:
        parts.append(_unit(_bark(rng, pitch, None, size)))
    wave, lap = parts[0], round(0.05 * SAMPLE_RATE)  # the voice does not stop between the parts
    for part in parts[1:]:
        wave = np.concatenate([wave[:-lap], wave[-lap:] + part[:lap], part[lap:]])
    return wave


def _whine(rng, pitch, duration, size):
    u = rng.uniform
    pitch = pitch or _lognormal(rng, 800 - 200 * size, 0.3, 400, 1_200)
    n = round((duration or u(0.3, 1.2)) * SAMPLE_RATE)
    bends = [-u(0, 0.4), 0, -u(0.1, 0.6)]
    f0 = pitch * 2 ** _path(rng, n, [0, u(0.2, 0.6), 1], bends, 0.012)
    return _voice(
        rng,
        f0,
        _path(rng, n, [0, 0.4, 1], [-8, 0, -10], 1.0),
        (0.05, 0.1),
        length=0.08 * 2.2**size,
        opening=np.full(n, 0.7),
        tilt=-u(18, 28),
        breath=u(0.01, 0.1),
        rough=0.02,
        first=3.0,
    )


# ---- source and filter
def _growl(rng, duration, length, lowest, highest, dull):
    pitch, tilt = rng.uniform(lowest, highest), -rng.uniform(dull, dull + 6)
    n, points = round((duration or rng.uniform(0.8, 3)) * SAMPLE_RATE), np.linspace(0, 1, 4)
    f0 = pitch * 2 ** _path(rng, n, points, rng.uniform(-0.2, 0.2, 4), 0.03)
    return _voice(
        rng,
        f0,
        _path(rng, n, points, -rng.uniform(0, 8, 4), 2.0),
        (0.1, 0.2),
        length=length,
        opening=_path(rng, n, points, rng.uniform(0.5, 0.8, 4), 0.03),
        tilt=tilt,
        breath=rng.uniform(0.2, 0.8),
        rough=0.6,
        subharmonic=rng.random(),
        first=3.0,
    )


def _voice(
    rng, f0, level, fade, *, length, opening, tilt, breath, rough, first, subharmonic=0.0, throb=0.0
):
    # f0 (Hz), level (dB) and opening (1 = open mouth) have one value a sample; fade is (attack,
    # release) in seconds, length in metres, tilt in dB an octave above the first formant, breath
    # relative to the pulses, first in dB (the first formant's gain over the others). rough scatters
    # the pulses, subharmonic weakens every second one, throb ties the breath to the pulses.
    n = len(f0)
    phase = np.cumsum(f0) / SAMPLE_RATE + rng.random()
    at = np.interp(np.arange(1, int(phase[-1]) + 1), phase, np.arange(n))
    here = at.astype(int).clip(0, n - 1)
    period = SAMPLE_RATE / f0[here]
    rough, subharmonic = np.broadcast_to(rough, n)[here], np.broadcast_to(subharmonic, n)[here]
    at = at + period * 0.12 * rough * rng.standard_normal(len(at))
    height = np.sqrt(period) * (1 + 0.5 * rough * rng.standard_normal(len(at)))
    height[::2] *= 1 - 0.8 * subharmonic[::2].clip(0, 1)
    taps = np.arange(-7, 9)  # a windowed sinc places each pulse between samples without aliasing
    index = np.floor(at).astype(int)[:, None] + taps
    offset = index - at[:, None]
    pulse = np.sinc(offset) * np.cos(np.pi * offset / 18) ** 2 * height[:, None]
    inside = (index >= 0) & (index < n)
    pulses = np.bincount(index[inside], weights=pulse[inside], minlength=n)
    noise = breath * rng.standard_normal(n)
    noise *= 1 - throb + throb * np.cos(np.pi * (phase % 1)) ** 4 * 3
    source = np.pad((pulses + noise) * _fade(level, *fade), _FRAME)  # room for the last frame
    _, _, frames = signal.stft(source, nperseg=_FRAME, noverlap=_FRAME - _HOP)
    frequency = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)[:, None]
    centres = np.clip(np.arange(frames.shape[1]) * _HOP - _FRAME, 0, n - 1)
    mouth, effort = opening[centres], level[centres] - level.max()
    lowest = _SOUND_SPEED / (4 * length)  # Hz, the first formant of a uniform tube
    response = np.zeros(frames.shape)
    for k in range(1, 7):
        # An opening mouth moves the first formant most, the next less.
        centre = (2 * k - 1) * lowest * mouth ** (1 / k) * (1 + 0.06 * rng.standard_normal())
        width = (60 + 0.06 * centre) * rng.uniform(0.8, 2)
        gain = 10 ** ((first * (k == 1) + 3 * rng.standard_normal()) / 20)
        response += gain / np.sqrt(1 + ((frequency - centre) / width) ** 2)
    slope = tilt * (1 - 0.04 * effort) / (20 * np.log10(2))  # a softer voice is a duller one
    response *= (1 + (frequency / lowest) ** 2) ** (slope / 2)
    response *= frequency**2 / (frequency**2 + (0.35 * lowest) ** 2)  # little leaves below it
    _, wave = signal.istft(frames * response, nperseg=_FRAME, noverlap=_FRAME - _HOP)
    return wave[_FRAME : _FRAME + n]


def _path(rng, n, times, values, wobble):
    """Smooth curve through values at relative times (0 to 1), with a slow random wobble."""
    coarse = np.linspace(0, 1, max(16, n // 64))  # splines every 4 ms, straight lines between
    knots = max(4, int(n / SAMPLE_RATE * 8))
    drift = CubicSpline(np.linspace(0, 1, knots), rng.standard_normal(knots))(coarse)
    curve = PchipInterpolator(times, values)(coarse) + wobble * drift
    return np.interp(np.linspace(0, 1, n), coarse, curve)


def _fade(decibels, attack, release):
    """Amplitude from dB, faded in and out over attack and release seconds."""
    t = np.arange(len(decibels)) / SAMPLE_RATE
    ramp = np.minimum(t / attack, (t[-1] - t) / release).clip(0, 1)
    return 10 ** (decibels / 20) * np.sin(np.pi / 2 * ramp) ** 2


def _lognormal(rng, median, spread, low, high):
    return float(np.clip(median * np.exp(spread * rng.standard_normal()), low, high))


def _unit(wave):
    return wave / max(1e-9, np.abs(wave).max())


_KINDS = {
    "meow": _meow,
    "yowl": _yowl,
    "hiss": _hiss,
    "purr": _purr,
    "mew": lambda rng, pitch, duration, size: _meow(
        rng,
        pitch or _lognormal(rng, 850, 0.25, 500, 1_200),
        duration or rng.uniform(0.12, 0.6),
        0.6 * size - 0.2,
        harsh=0,
    ),
    "harsh_meow": lambda rng, pitch, duration, size: _meow(
        rng,
        pitch or _lognormal(rng, 480, 0.3, 250, 900),
        duration or rng.uniform(0.2, 0.7),
        size,
        harsh=rng.uniform(0.2, 0.8),
    ),
    "cat_growl": lambda rng, _, s, size: _growl(rng, s, 0.065 + 0.035 * size, 60, 200, 5),
    "bark": _bark,
    "bark_howl": _bark_howl,
    "howl": _howl,
    "whine": _whine,
    "dog_growl": lambda rng, _, s, size: _growl(rng, s, 0.08 * 2.2**size, 50, 130, 9),
}
