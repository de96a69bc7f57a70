"""Synthetic recordings of cats and dogs, so that the course works offline.

voices.py makes the calls; this module records them. Rooms, noise, level, equalisation and faults
follow one law for both classes, so that only the calls tell the classes apart; the lengths differ
as they do in the real set, which the course shows to be a shortcut. Sources elsewhere break that
law: each has animals, a place and a microphone of its own, and other sounds besides.

Taught in notebooks/01_waveforms.ipynb.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile as sf
from scipy import signal
from scipy.fft import next_fast_len

from helpers import files
from helpers.datasets import others, voices

_GENERATOR = "barks-and-meows"
_RATE = voices.SAMPLE_RATE
_NAMES = {"cat": "cat_{}.wav", "dog": "dog_barking_{}.wav"}
_FOLDERS = {
    ("train", "cat"): "train/cat",
    ("train", "dog"): "train/dog",
    ("test", "cat"): "test/cats",
    ("test", "dog"): "test/test",
}
_SHARES = {("train", "cat"): 115, ("train", "dog"): 64, ("test", "cat"): 49, ("test", "dog"): 49}
# Deciles of the clips' lengths in Audio Cats and Dogs, in seconds.
_SECONDS = {
    "cat": (0.92, 1.25, 1.93, 3.95, 7.2, 10.65, 11.68, 12.0, 12.0, 12.0, 17.98),
    "dog": (1.02, 2.01, 2.53, 2.91, 3.36, 3.86, 4.47, 6.01, 7.88, 11.46, 17.2),
}
_CUT = {"cat": 0.36, "dog": 0.06}  # share of the clips cut from longer recordings
# How often a recording is mainly of this kind of call.
_KINDS = {
    "cat": {
        "meow": 0.48,
        "mew": 0.18,
        "harsh_meow": 0.13,
        "yowl": 0.13,
        "hiss": 0.03,
        "purr": 0.02,
        "cat_growl": 0.03,
    },
    "dog": {"bark": 0.42, "bark_howl": 0.34, "howl": 0.12, "whine": 0.04, "dog_growl": 0.08},
}
# Sources elsewhere: sizes of the animals (0 to 1), how much faster they are played, decay of the
# place (s), direct over reverberant (dB), noise (dB below the loudest), band (Hz), overdrive (dB).
_ELSEWHERE = {
    "street": ((0.3, 1.0), 0.92, (0.4, 1.2), (-12, 0), (2, 14), (120, 6_500), 0),
    "telephone": ((0.0, 1.0), 1.0, (0.05, 0.3), (5, 25), (15, 40), (300, 3_400), 10),
    "stairwell": ((0.0, 0.5), 1.15, (0.9, 2.2), (-6, 6), (15, 40), (60, 7_900), 0),
}
# Three people who collect five sounds with what they have, as the sources above.
_COLLECTORS = {
    "ada": ((0.1, 0.9), 1.0, (0.1, 0.4), (5, 20), (15, 40), (60, 7_900), 0),
    "ben": ((0.0, 0.8), 1.0, (0.3, 0.9), (-2, 8), (10, 30), (150, 5_500), 0),
    "cleo": ((0.2, 1.0), 1.0, (0.05, 0.2), (0, 15), (8, 25), (80, 7_000), 4),
}
_FIVE = ("beep", "bird", "cat", "dog", "rain")
_STATED = {"ada": "CC0-1.0", "ben": "CC BY-NC 4.0", "cleo": None}  # licences


def make_dataset(folder, seed=0, n_clips=277):
    """Write a synthetic set of cat and dog recordings in the layout of Kaggle's.

    The folder appears whole or not at all. A complete one of the same seed, size and version is
    left as it is; one with other settings is made anew; a folder of any other origin is refused.
    recordings.csv (file, recording, start_seconds, licence) tells which clips share audio,
    about.json the settings.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        folder: where to write, a path.
        seed: int, 0 or more; the same seed gives the same bytes on one machine.
        n_clips: clips in all, 20 or more, in the proportions of the real set.

    Returns:
        pathlib.Path of the folder.

    Raises:
        ValueError: the seed or n_clips is out of range, or the folder holds something else.
    """
    _check(seed, n_clips, 20)
    about = dict(generator=_GENERATOR, version=_version(), seed=int(seed), n_clips=int(n_clips))
    return _made(folder, about, "recordings.csv", _write)


def make_elsewhere(folder, seed=0, n_clips=20):
    """Write three synthetic sources with animals, places and microphones other than those at home.

    A street far away, a telephone, a stairwell; each with as many cats, dogs and other sounds.
    manifest.csv names each clip's source, label and kind. The folder appears as make_dataset's.

    Taught in notebooks/09_elsewhere.ipynb.

    Args:
        folder: where to write, a path.
        seed: int, 0 or more.
        n_clips: clips of each class in each source.

    Returns:
        pathlib.Path of the folder, for datasets.load.

    Raises:
        ValueError: the seed or n_clips is out of range, or the folder holds something else.
    """
    _check(seed, n_clips, 1)
    about = dict(generator=_GENERATOR, version=_version(), seed=int(seed), elsewhere=int(n_clips))
    return _made(folder, about | {"n_clips": 9 * int(n_clips)}, "manifest.csv", _write_elsewhere)


def make_five(folder, seed=0, n_clips=8):
    """Write five classes of sounds, as three people might have collected them, mistakes and all.

    Beeps, birds, cats, dogs and rain, a folder each. Rain is long; one clip is silent, one clipped,
    one lies in two folders, two pairs were cut from one recording, and one person states no
    licence. manifest.csv names each clip's source, who recorded it. The folder appears as
    make_dataset's.

    Args:
        folder: where to write, a path.
        seed: int, 0 or more.
        n_clips: clips of each class by each person, 4 or more.

    Returns:
        pathlib.Path of the folder, for datasets.load.

    Raises:
        ValueError: the seed or n_clips is out of range, or the folder holds something else.
    """
    _check(seed, n_clips, 4)
    about = dict(generator=_GENERATOR, version=_version(), seed=int(seed), five=int(n_clips))
    return _made(folder, about | {"n_clips": 15 * int(n_clips)}, "manifest.csv", _write_five)


def _check(seed, n_clips, fewest):
    for name, value, low in (("seed", seed, 0), ("n_clips", n_clips, fewest)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
            raise ValueError(f"{name} must be a whole number of {low} or more, got {value!r}")


def _made(folder, about, listing, write):
    """The folder as it is if it is complete, else written anew, whole or not at all."""
    folder = Path(folder).resolve()
    if _complete(folder, about, listing):
        return folder
    if folder.exists() and not _replaceable(folder):
        raise ValueError(f"{folder} holds what this generator did not make: choose a new folder")
    with files.atomic(folder, keep=lambda: _complete(folder, about, listing)) as part:
        write(part, about)
        (part / "about.json").write_text(json.dumps(about, indent=1) + "\n")
    return folder


def _version():  # changes with the code: clips that an earlier generator made are made anew
    modules = (__file__, voices.__file__, others.__file__)
    code = "".join(Path(path).read_text("utf-8") for path in modules)
    return hashlib.sha256(code.encode()).hexdigest()[:8]


def _complete(folder, about, listing):
    try:
        if json.loads((folder / "about.json").read_text()) != about:
            return False
        names = pd.read_csv(folder / listing).file
        return len(names) == about["n_clips"] and all((folder / name).is_file() for name in names)
    except (OSError, ValueError, AttributeError):
        return False


def _replaceable(folder):
    try:
        return json.loads((folder / "about.json").read_text())["generator"] == _GENERATOR
    except (OSError, ValueError, KeyError, TypeError):
        return folder.is_dir() and not any(folder.iterdir())  # an empty folder may be filled


def _write(folder, about):
    split, rows = {}, []
    for key, where in _FOLDERS.items():
        (folder / "cats_dogs" / where).mkdir(parents=True)
        split[key] = []
    for key, name, recording, start, wave in _clips(about["seed"], about["n_clips"]):
        path = Path("cats_dogs", _FOLDERS[key], name)
        sf.write(folder / path, wave, _RATE, subtype="PCM_16")
        split[key].append(name)
        rows.append((path.as_posix(), recording, start / _RATE, "CC0"))
    columns = {"_".join(key): pd.Series(names, dtype=object) for key, names in split.items()}
    table = pd.DataFrame(columns)[["test_cat", "test_dog", "train_cat", "train_dog"]]
    table.to_csv(folder / "train_test_split.csv")
    rows = pd.DataFrame(rows, columns=["file", "recording", "start_seconds", "licence"])
    rows.to_csv(folder / "recordings.csv", index=False)


def _write_elsewhere(folder, about):
    rows = []
    for s, (source, how) in enumerate(_ELSEWHERE.items()):
        (folder / source).mkdir(parents=True)
        for c, label in enumerate(("cat", "dog", "other")):
            for k in range(about["elsewhere"]):
                rng = np.random.default_rng([about["seed"], 9, s, c, k])
                kind = list(others.KINDS)[k % len(others.KINDS)] if label == "other" else label
                wave = _from_elsewhere(rng, kind, *how)
                file = f"{source}/{kind}_{k}.wav"
                sf.write(folder / file, wave, _RATE, subtype="PCM_16")
                rows.append((file, label, source, kind, f"{source} {label} {k}", "CC0"))
    columns = ["file", "label", "source", "kind", "group", "licence"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "manifest.csv", index=False)


def _write_five(folder, about):
    waves, last = {}, about["five"] - 1
    for s, (source, how) in enumerate(_COLLECTORS.items()):
        for c, label in enumerate(_FIVE):
            for k in range(about["five"]):
                rng = np.random.default_rng([about["seed"], 5, s, c, k])
                seconds = (3.5, 6) if label == "rain" else (2, 4)
                waves[label, source, k] = _from_elsewhere(rng, label, *how, seconds)
    for label, source in (("rain", "cleo"), ("bird", "ben")):  # the later one overlaps by half
        waves[label, source, last] = waves[label, source, 0][len(waves[label, source, 0]) // 2 :]
    waves["cat", "ben", last] = waves["dog", "ben", 1]  # in two folders
    waves["cat", "cleo", 2] = waves["cat", "cleo", 2] // 20_000  # the microphone was off
    loud = 6.0 * waves["dog", "cleo", 2]
    waves["dog", "cleo", 2] = np.clip(loud, -32_768, 32_767).astype(np.int16)
    rows = []
    for (label, source, k), wave in waves.items():
        file = f"{label}/{source}_{k}.wav"
        (folder / label).mkdir(parents=True, exist_ok=True)
        sf.write(folder / file, wave, _RATE, subtype="PCM_16")
        rows.append((file, label, source, _STATED[source]))
    columns = ["file", "label", "source", "licence"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "manifest.csv", index=False)


def _from_elsewhere(rng, kind, sizes, faster, decay, ratio, snr, band, overdrive, seconds=(2, 4)):
    """int16: a sound of one kind, as a source of these habits records it."""
    n = int(_RATE * rng.uniform(*seconds))
    if kind in others.KINDS:
        dry = others.sound(kind, rng, n / _RATE)
    else:
        dry = signal.resample(_calls(rng, kind, int(n * faster), rng.uniform(*sizes)), n)
    wet = signal.oaconvolve(dry, _room(rng, rng.uniform(*decay), rng.uniform(*ratio)))[:n]
    noise = _noise(rng, n)
    noise *= np.abs(wet).max() / 4 * 10 ** (-rng.uniform(*snr) / 20) / noise.std()
    edges = signal.butter(4, np.minimum(band, 0.49 * _RATE), "bandpass", fs=_RATE, output="sos")
    wave = (wet + noise) / max(1e-9, np.abs(wet + noise).max())
    wave = signal.sosfilt(edges, np.clip(wave * 10 ** (overdrive / 20), -1, 1))
    wave /= max(1e-9, np.abs(wave).max())
    return np.round(wave * 10 ** (-rng.uniform(1, 12) / 20) * 32_767).astype(np.int16)


def _clips(seed, n_clips):
    """Yield (part, species), file name, recording, start in samples, int16 waveform."""
    counts = {key: round(n_clips * share / 277) for key, share in _SHARES.items()}
    counts["train", "cat"] += n_clips - sum(counts.values())
    for s, species in enumerate(_NAMES):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(s,)))
        plan = _plan(rng, species, counts["train", species] + counts["test", species])
        parts = _parts(rng, plan, counts["train", species])
        number = 1 - s  # cats count from 1 and dogs from 0, as in the real set
        for r, windows in enumerate(plan):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(s, r)))
            wave = _recording(rng, species, max(start + length for start, length in windows))
            for start, length in windows:
                key, name = (parts[r].pop(0), species), _NAMES[species].format(number)
                yield key, name, f"{species}_recording_{r:03}", start, wave[start : start + length]
                number += 1


def _plan(rng, species, n):
    """Recordings as lists of (start, length) windows in samples, n windows in all."""
    quantiles = (np.arange(n) + rng.random(n)) / n
    seconds = rng.permutation(np.interp(quantiles, np.linspace(0, 1, 11), _SECONDS[species]))
    lengths = np.round(seconds * _RATE).astype(int)
    # Long recordings were cut into windows of some 12 s every 6 s.
    long = [d for d in lengths if 11 * _RATE <= d <= 12.2 * _RATE][: round(n * _CUT[species])]
    single = list(lengths)
    for d in long:
        single.remove(d)
    plan = []
    while long:
        group = [long.pop() for _ in range(min(len(long), rng.integers(2, 5)))]
        starts = np.r_[0, np.cumsum(rng.integers(5 * _RATE, 7 * _RATE, len(group) - 1))]
        plan.append([(int(start), int(d)) for start, d in zip(starts, group)])
    if species == "dog":  # one file is there twice, once on either side of the split
        plan.append([(0, int(single.pop()))] * 2)
        single.pop()
    plan += [[(0, int(d))] for d in single]
    return [plan[i] for i in rng.permutation(len(plan))]


def _parts(rng, plan, n_train):
    """The split, drawn clip by clip, so that windows of one recording fall on both sides."""
    n_test = sum(map(len, plan)) - n_train
    twins = [r for r, windows in enumerate(plan) if len(windows) == 2 and len(set(windows)) == 1]
    free = ["train"] * (n_train - len(twins)) + ["test"] * (n_test - len(twins))
    free = rng.permutation(free).tolist()
    return [
        ["train", "test"] if r in twins else [free.pop() for _ in windows]
        for r, windows in enumerate(plan)
    ]


def _recording(rng, species, n):
    """int16, shape (n,): calls in a room, through a microphone, with noise and faults."""
    dry = _calls(rng, species, n)
    wet = signal.oaconvolve(dry, _room(rng))[:n]
    wet = wet / max(1e-9, np.abs(wet).max())
    snr = rng.uniform(5, 60)  # dB between the loudest tenth of a second and the noise
    loudest, noise = _smooth(wet**2, 0.1).max() ** 0.5, _noise(rng, n)
    noise *= loudest * 10 ** (-snr / 20) / max(1e-9, np.sqrt(np.mean(noise**2)))
    wave = signal.oaconvolve(wet + noise, _equaliser(rng), "same")
    if rng.random() < 0.15:  # an editor's noise gate: digital silence between the calls
        envelope = _smooth(np.abs(wave), 0.05)
        gate = (envelope > envelope.max() * 10 ** (-rng.uniform(25, 45) / 20)).astype(float)
        wave *= _smooth(gate, 0.1).clip(0, 1)
    wave /= max(1e-9, np.abs(wave).max())
    if rng.random() < 0.15:  # an overdriven input
        wave = np.clip(wave * 10 ** (rng.uniform(2, 12) / 20), -1, 1)
    peak = 10 ** (-rng.choice([rng.uniform(0.1, 4), rng.uniform(4, 22)]) / 20)
    return np.round(wave * peak * 32_767).astype(np.int16)


def _smooth(x, seconds):
    n = round(seconds * _RATE)
    return signal.oaconvolve(x, np.ones(n) / n, "same")


def _calls(rng, species, n, size=None):
    """Calls of one animal, one after the other, with silences between."""
    kinds, weights = zip(*_KINDS[species].items())
    main = rng.choice(kinds, p=weights)
    size = rng.random() if size is None else size
    gap = np.exp(rng.uniform(np.log(0.12), np.log(2.0)))
    wave, at = np.zeros(n), int(rng.choice([0.0, rng.uniform(0, 0.6)]) * _RATE)
    while at < n:
        kind = main if rng.random() < 0.85 else rng.choice(kinds, p=weights)
        one = (voices.call(kind, rng, size=size) * 10 ** (-rng.uniform(0, 8) / 20))[: n - at]
        wave[at : at + len(one)] += one
        at += len(one) + int(_RATE * min(4.0, gap * np.exp(0.5 * rng.standard_normal())))
    return wave


def _room(rng, decay=None, ratio=None):
    """Impulse response: the direct sound, early echoes and a decaying tail.

    decay: seconds to -60 dB; ratio: dB, direct over reverberant, the distance. None draws them.
    """
    decay = np.exp(rng.uniform(np.log(0.05), np.log(0.9))) if decay is None else decay
    n = int(_RATE * decay)
    tail = rng.standard_normal(n) * 10 ** (-3 * (np.arange(n) / _RATE) / decay)
    tail = signal.lfilter([1], [1, -rng.uniform(0, 0.7)], tail)  # walls absorb high notes first
    tail[: int(rng.uniform(0.001, 0.01) * _RATE)] = 0
    ratio = rng.uniform(-3, 25) if ratio is None else ratio
    tail *= 10 ** (-ratio / 20) / max(1e-9, np.sqrt(np.sum(tail**2)))
    for _ in range(rng.integers(0, 5)):
        at = min(int(rng.uniform(0.001, 0.03) * _RATE), n - 1)
        tail[at] += rng.uniform(-0.4, 0.4) * 10 ** (-ratio / 40)
    tail[0] = 1.0
    return tail


def _equaliser(rng):
    """Linear-phase filter: a microphone's uneven response and a codec's edges."""
    f = np.array([0, 100, 300, 800, 2_000, 4_000, 6_000, 8_000.0])
    decibels = rng.normal(0, 3, len(f)) + rng.uniform(-3, 1.5) * np.log2(np.maximum(f, 50) / 800)
    decibels[:2] -= 20, rng.uniform(0, 15)
    taps = signal.firwin2(257, f, 10 ** (decibels / 20), fs=_RATE)
    if rng.random() < 0.3:
        edge = signal.firwin(int(rng.choice([33, 65, 257])), rng.uniform(2_500, 7_500), fs=_RATE)
        taps = np.convolve(taps, edge, "same")
    return taps


def _noise(rng, n):
    """Background: coloured noise that swells slowly, sometimes hum, sometimes knocks."""
    size = next_fast_len(n, real=True)
    f = np.fft.rfftfreq(size, 1 / _RATE)
    slope = rng.uniform(-9, 0)  # dB an octave, from brown to white
    spectrum = np.fft.rfft(rng.standard_normal(size)) * np.maximum(f, 40) ** (slope / 6.02)
    noise = np.fft.irfft(spectrum, size)[:n]
    knots = max(2, n // _RATE + 1)
    swell = np.interp(np.linspace(0, knots - 1, n), np.arange(knots), rng.normal(0, 3, knots))
    noise *= 10 ** (swell / 20) / noise.std()
    if rng.random() < 0.25:
        t = np.arange(n) / _RATE
        for k in range(1, 6):
            noise += rng.exponential(1.0 / k) * np.sin(2 * np.pi * 50 * k * t + rng.random() * 6)
    if rng.random() < 0.5:  # knocks and rustles
        for at in rng.integers(0, n, max(1, int(rng.exponential(0.8) * n / _RATE))):
            m = int(_RATE * np.exp(rng.uniform(np.log(0.02), np.log(0.4))))
            knock = rng.standard_normal(m) * np.exp(-np.linspace(0, 5, m))
            knock = signal.lfilter([1], [1, -rng.uniform(0, 0.98)], knock)
            knock *= rng.exponential(4.0) / knock.std()
            noise[at : at + m] += knock[: n - at]
    return noise
