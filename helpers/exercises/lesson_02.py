"""Lesson 02, Spectrograms: what is right, and what to say of a wrong answer."""

import numpy as np


def _rebuild(function):
    for n in (16, 64, 6):
        frame = np.random.default_rng(n).normal(size=n)
        spectrum = np.fft.rfft(frame)
        given = np.asarray(function(spectrum))
        if given.shape != (n,):
            return f"{len(spectrum)} bins come from {n} samples; yours has the shape {given.shape}."
        if np.iscomplexobj(given) and np.abs(given.imag).max() > 1e-6:
            return "A waveform has no imaginary part: the sizes of cosine and sine are real."
        given = given.real
        once, ends = np.zeros((2, n))
        for k, value in enumerate(spectrum):
            wave = (value * np.exp(2j * np.pi * k * np.arange(n) / n)).real / n
            once, ends = once + wave, ends + 2 * wave
        if np.allclose(given, n * frame):
            return f"Nearly: all of it is {n} times too large. The sum had n terms."
        if np.allclose(given, once) or np.allclose(given, n * once):
            return "Nearly: a wave is found at its own frequency and at its mirror image; add both."
        if np.allclose(given, ends) or np.allclose(given, n * ends):
            return "Nearly: two of the bins have no mirror image. Which two?"
        if np.allclose(given, np.roll(frame[::-1], 1)):
            return "Nearly: it runs backwards. Which sign has the sine?"
        if not np.allclose(given, frame):
            return "Its samples differ from those that the spectrum was made of."
    return None


def _stft(waveform, frame_length, hop_length, pad="reflect", fade=None):
    padded = np.pad(waveform, frame_length // 2, mode=pad)
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame_length)[::hop_length]
    fade = _hann(frame_length) if fade is None else fade
    return np.abs(np.fft.rfft(frames * fade))


def _hann(n):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


def _short_time(function):
    for samples, n, hop in ((1_000, 64, 16), (777, 50, 21), (431, 128, 101)):
        waveform = np.random.default_rng(n).normal(size=samples)
        right = _stft(waveform, n, hop)
        given = function(waveform, n, hop)
        if isinstance(given, (list, tuple)):
            return "Nearly: those are the rows in a list. Make one matrix of them: np.array."
        given = np.asarray(given)
        objection = _of_shape(given, right, samples, n, hop) or _of_frames(given, waveform, n, hop)
        if objection:
            return objection
    return None


def _of_shape(given, right, samples, n, hop):
    """The objection to the shape of a matrix of frames and bins, or None."""
    if given.ndim != 2:
        return f"A matrix is asked for; yours has the shape {given.shape}."
    if given.shape == right.shape:
        return None
    if given.shape == right.T.shape:
        return "Nearly: a row for each frame and a column for each bin is asked for; turn it."
    frames, bins = given.shape
    if bins == n:
        return (
            "Nearly: the bins above half the sample rate are aliases. np.fft.rfft leaves them out."
        )
    if frames == 1 + (samples - n) // hop:
        return "Nearly: those are the frames without padding; half a frame is added at either end."
    if frames == len(right) - 1:
        return "Nearly: one frame is missing. The last one begins where just a whole one is left."
    return (
        f"{samples} samples, a frame length of {n} and a hop of {hop} make {len(right)} frames of "
        f"{right.shape[1]} bins; yours has the shape {given.shape}."
    )


def _of_frames(given, waveform, n, hop):
    """The objection to the magnitudes, or None."""
    right = _stft(waveform, n, hop)
    if np.iscomplexobj(given) and np.allclose(np.abs(given), right):
        return "Nearly: those are the complex bins. Their magnitudes are asked for: np.abs."
    if np.allclose(given, right, atol=1e-6):
        return None
    if np.allclose(given, right**2):
        return "Nearly: those are powers. Magnitudes are asked for, which are not squared."
    if np.allclose(given, _stft(waveform, n, hop, fade=np.ones(n))):
        return "Nearly: your frames are cut out plainly. Fade each in and out by the Hann window."
    if np.allclose(given, _stft(waveform, n, hop, fade=np.hanning(n))):
        return "Nearly: np.hanning ends on a 0 of its own. Take the cosine from above: k over n."
    whole = slice(-(-n // 2 // hop), (len(waveform) - n // 2) // hop)  # no padding in them
    if np.allclose(given[whole], right[whole]):
        return "Nearly: only at the ends it differs. The padding mirrors the waveform."
    at = int(np.abs(np.abs(given) - right).max(axis=1).argmax())
    return (
        f"Of {len(waveform)} samples the frame centred on sample {at * hop} differs most. Is it "
        f"{n} long, {hop} on from the one before, and windowed?"
    )


def _triangles(bins, edges):
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - low) / (centre - low)
    falling = (high - bins[:, None]) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


def _mel_matrix(function):
    for spacing, edges in (
        (31.25, np.geomspace(200, 8_000, 9)),
        (50.0, np.array([0.0, 130, 310, 620, 990, 1_700, 2_950, 4_000])),
    ):
        bins = np.arange(0, edges[-1] + 1, spacing)
        right, width = _triangles(bins, edges), edges[2:] - edges[:-2]
        given = np.asarray(function(bins, edges), float)
        if given.ndim != 2:
            return f"A matrix is asked for; yours has the shape {given.shape}."
        if given.shape == right.T.shape:
            return "Nearly: a row for each bin and a column for each band is asked for; turn it."
        if given.shape != right.shape:
            return (
                f"{len(bins)} bins and {len(edges)} edges make the shape {right.shape}, and "
                f"yours is {given.shape}: a triangle takes three edges, the next begins one on."
            )
        if not np.isfinite(given).all():
            return "Some of its weights are no numbers: is something divided by 0?"
        if np.allclose(np.maximum(0, given), right) and given.min() < 0:
            return "Nearly: beyond its two ends a triangle is 0, and your lines go on below it."
        if np.allclose(given, right * width / 2):
            return "Nearly: all of yours are 1 high, so wide ones look louder. Make each area 1."
        if np.allclose(given, right / 2):
            return "Nearly: the areas are 1/2. A triangle has half the area of its rectangle."
        if np.allclose(given, right / right.sum(axis=0)):
            return "Nearly: your weights add up to 1 bin by bin. The area, in hertz, is to be 1."
        if (given > 0).any() and np.allclose(
            given[given > 0], np.broadcast_to(1 / width, given.shape)[given > 0]
        ):
            return "Those are boxes, equally high all over. A triangle rises and falls."
        at, band = np.unravel_index(np.abs(given - right).argmax(), right.shape)
        if not np.allclose(given, right):
            low, centre, high = edges[band : band + 3]
            return (
                f"In band {band}, from {low:.0f} over {centre:.0f} to {high:.0f} Hz, the bin at "
                f"{bins[at]:.0f} Hz gets {given[at, band]:.2g}; {right[at, band]:.2g} is right."
            )
    return None


def _track(function):
    for rate, n, hop, bins in ((8_000, 400, 100, (20, 50)), (16_000, 512, 256, (30, 9, 100))):
        time = np.arange(1_500) / rate
        parts = [0.5 * np.sin(2 * np.pi * k * rate / n * time) for k in bins]
        wave = np.concatenate(parts)
        starts = np.arange(0, len(wave) - n + 1, hop)
        pure = starts // 1_500 == (starts + n - 1) // 1_500  # frames with one tone in them
        right = np.array(bins)[starts // 1_500] * rate / n
        given = np.asarray(function(wave, rate, n, hop), float)
        if given.ndim != 1:
            return f"One frequency a frame is asked for; yours has the shape {given.shape}."
        if len(given) in (len(wave) // n, 1 + len(wave) // n) != (len(right),) * 2:
            return "Nearly: your frames do not overlap. By how much does the next one move on?"
        if len(given) != len(right):
            return f"{len(wave):,} samples hold {len(right)} whole frames, and yours {len(given)}."
        given, right = given[pure], right[pure]
        if np.allclose(given, right * n / rate):
            return "Nearly: those are numbers of bins. How many hertz apart are they?"
        if rate != 16_000 and np.allclose(given, right * 16_000 / rate):
            return "Nearly: it is right at 16,000 Hz only. Does it use the rate that it is given?"
        if np.allclose(given, right / 2) or np.allclose(given, right * 2):
            return "Nearly: you are off by a factor of two. Bin k belongs to k * rate / n."
        if not np.allclose(given, right):
            at = int(np.abs(given - right).argmax())
            return f"Where a tone of {right[at]:.0f} Hz sounds, yours says {given[at]:.0f} Hz."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "02.1": (
        _rebuild,
        "Nothing is lost: magnitude and angle together hold the waveform to its last digit.",
    ),
    "02.2": (
        _short_time,
        "Every picture of this course begins so: 94 frames of 257 bins for 1.5 s.",
        _stft,
    ),
    "02.3": (
        _mel_matrix,
        "One product with it turns the power of the bins into bands: that is all of mel.",
        _triangles,
    ),
    "02.4": (
        _track,
        "That is an STFT, and a simple pitch finder; it trips where a harmonic is the strongest.",
    ),
}
