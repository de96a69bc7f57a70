"""Two labs: turn the knobs of a spectrogram, or of a recording, and see and hear what changes."""

import ipywidgets
import numpy as np
import scipy.signal

from helpers import audio, features, plots
from helpers.audio import SAMPLE_RATE
from helpers.widgets.panel import Lab, drawable, menu, player, player_table, png, slider

_SHAPES = {"Hann": "hann", "Hamming": "hamming", "Blackman": "blackman", "none": "boxcar"}
_BANDS = 64
_KEEP = (16, 8, 4, 3, 2, 1)  # every 16th sample, every 8th, ...


class SpectrogramLab(Lab):
    """Turn the knobs of a spectrogram, and see what a window can tell apart in time and frequency.

    By keyboard: Tab leads from control to control, arrow keys move a slider, Space opens a menu.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        sounds: dict of name to waveform, float32, shape (samples,), best a few seconds long.
        sample_rate: Hz, of all.

    Attributes:
        window, hop, shape, scale, range: the controls: ms, ms, a name, "linear" or "mel", dB.
        levels: float, shape (frames, bins or bands): what is drawn, dB below the loudest.
        resolution: seconds, Hz: how wide the window and its spectrum are at half their height.
    """

    def __init__(self, sounds, sample_rate=SAMPLE_RATE):
        self._rate = sample_rate
        self.window = slider("window (ms)", [2, 4, 8, 16, 32, 64, 128, 256], 32)
        self.hop = slider("hop (ms)", [1, 2, 4, 8, 16, 32, 64, 128], 8)
        self.range = slider("range (dB)", [20, 25, 100], 60, ipywidgets.IntSlider)
        self.shape, self.scale = menu("shape", list(_SHAPES)), menu("scale", ["linear", "mel"])
        rows = [[self.window, self.hop], [self.range, self.shape, self.scale]]
        watched = [control for row in rows for control in row]
        super().__init__(sounds, rows, watched, f"Spectrogram lab of {', '.join(sounds)}")

    def _shown(self):
        samples, rate = self._samples(), self._rate
        length = 2 * max(1, round(self.window.value * rate / 2000))
        hop = max(1, round(self.hop.value * rate / 1000))
        window = scipy.signal.get_window(_SHAPES[self.shape.value], length)
        power, hertz = _power(samples, window, hop), np.arange(length // 2 + 1) * rate / length
        bins = f"{len(hertz)} bins, {hertz[1]:.1f} Hz apart"
        if self.scale.value == "mel":
            matrix = features.mel_matrix(rate, length, _BANDS)
            power, hertz = power @ matrix, features.mel_frequencies(rate, _BANDS)
            empty = np.count_nonzero(matrix.sum(axis=0) == 0)
            bins += f" → {_BANDS} mel bands"
            if empty:
                bins += f", {empty} of them without a bin"
        levels = 10 * np.log10(np.maximum(power, 1e-12))
        self.levels, self.resolution = levels - levels.max(), _resolution(window, rate)
        seconds, width = self.resolution
        hertz_wide = f"{width:,.0f}" if width >= 100 else f"{width:.3g}"
        note = (
            f"The window is sharp to <b>{1000 * seconds:.3g} ms</b> in time and "
            f"<b>{hertz_wide} Hz</b> in frequency; the product is {seconds * width:.2f}. "
            f"{len(levels)} frames of {bins}."
        )
        picture = png(lambda figure: self._draw(figure, hop / rate, hertz), height=3.4)
        return note, picture, player(samples, rate)

    def _draw(self, figure, hop_seconds, hertz):
        ax = figure.subplots()
        plots.spectrogram(
            self.levels,
            hop_seconds,
            hertz,
            vmin=-self.range.value,
            vmax=0,
            ax=ax,
            unit="level below the loudest (dB)",
        )
        if len(hertz) > 300:  # more bins than pixels: average them, rather than leave some out
            ax.images[0].set_interpolation("auto")


class SampleRateLab(Lab):
    """Lower the sample rate and the number of bits; see and hear aliasing and quantisation.

    By keyboard: Tab leads from control to control and to the players, arrow keys move a slider,
    Space opens the menu and ticks the filter.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        sounds: dict of name to waveform, float32, shape (samples,), full scale at +-1.
        sample_rate: Hz, of all.

    Attributes:
        rate: SelectionSlider: every how many-th sample is kept.
        filter: Checkbox: whether what the new rate cannot hold is filtered away before.
        bits: IntSlider, a sample's.
        heard: float32, the sound lowered; its rate in Hz is `heard_rate`.
    """

    ORDER = "controls", "sound", "note", "picture"  # to be heard while a knob turns

    def __init__(self, sounds, sample_rate=SAMPLE_RATE):
        self._rate = sample_rate
        rates = [(f"{sample_rate / keep:,.0f} Hz", keep) for keep in _KEEP]
        self.rate = slider("rate", rates, 2)
        self.bits = slider("bits", [1, 2, 16], 16, ipywidgets.IntSlider)
        self.filter = ipywidgets.Checkbox(
            False, description="filter before", indent=False, layout={"width": "auto"}
        )
        watched = [self.rate, self.bits, self.filter]
        text = f"Sample-rate lab of {', '.join(sounds)}"
        super().__init__(sounds, [[self.rate, self.bits, self.filter]], watched, text)

    def _shown(self):
        samples, rate, keep = self._samples(), self._rate, self.rate.value
        new_rate = rate / keep
        kept = audio.resample(samples, rate, new_rate) if self.filter.value else samples[::keep]
        steps = 2 ** (self.bits.value - 1)  # from 0 to full scale
        heard = np.clip(np.round(kept * steps), -steps, steps - 1) / steps
        self.heard, self.heard_rate = heard.astype(np.float32), new_rate
        noise, level = audio.level(heard - kept), audio.level(kept)
        ratio = f"{level - noise:.0f} dB below the sound" if np.isfinite(noise - level) else "none"
        fate = "filtered away" if self.filter.value else "folded back, as aliases"
        note = (
            f"{new_rate:,.0f} Hz hold frequencies below <b>{new_rate / 2:,.0f} Hz</b>"
            f"{f'; what lay above is {fate}' if keep > 1 else ''}. "
            f"{self.bits.value} bits: {2 * steps:,} steps, noise of rounding: <b>{ratio}</b>."
        )
        picture = png(lambda figure: self._draw(figure, samples, rate), height=4.6)
        after = f"after: {new_rate:,.0f} Hz, {self.bits.value} bits"
        rows = [("before", samples, rate), (after, self.heard, new_rate)]
        return note, picture, player_table(rows)

    def _draw(self, figure, samples, rate):
        figure.subplots_adjust(right=0.93, hspace=0.6, wspace=0.14)
        left, right = (figure.add_subplot(2, 2, place) for place in (3, 4))
        for ax, wave, pace, unit in [
            (left, samples, rate, ""),
            (right, self.heard, self.heard_rate, "level (dB)"),
        ]:
            length = 2 * round(256 * pace / rate)  # as many seconds at any rate
            window, hop = scipy.signal.get_window("hann", length), length // 2
            levels = 10 * np.log10(_power(wave, window, hop) + 1e-12)
            hertz = np.arange(length // 2 + 1) * pace / length
            plots.spectrogram(levels, hop / pace, hertz, vmin=-90, vmax=-10, ax=ax, unit=unit)
            ax.axhline(self.heard_rate / 2 / hertz[1], color="#56B4E9", lw=1, ls="--")
        left.set_title("before")
        right.set(ylim=left.get_ylim(), yticks=left.get_yticks(), ylabel="", title="after")
        right.set_yticklabels([])
        right.set_facecolor("#EEEEEE")  # above half the new rate there is nothing
        upper = figure.add_subplot(2, 1, 1)
        place, end = upper.get_position(), right.get_position().x1
        upper.set_position([place.x0, place.y0, end - place.x0, place.height])
        for wave, pace, look in [
            (samples, rate, {"color": "#999999", "label": "before"}),
            (
                self.heard,
                self.heard_rate,
                {"color": "#009E73", "label": "after", "marker": ".", "drawstyle": "steps-mid"},
            ),
        ]:
            upper.plot(1000 * np.arange(len(wave)) / pace, wave, linewidth=1, **look)
        steepest = np.abs(np.diff(samples, prepend=samples[0])).argmax()
        start = 1000 * max(0, min(steepest - 64, len(samples) - 128)) / rate
        upper.set(xlim=(start, start + 8), ylabel="amplitude\n(full scale = 1)", xlabel="time (ms)")
        upper.set_title("8 ms at the steepest moment", loc="left")  # the legend is at the right
        upper.legend(loc="lower right", bbox_to_anchor=(1.02, 0.97), frameon=False, ncols=2)


def _power(samples, window, hop):
    """Power over time and frequency, shape (frames, bins); a sine at full scale has 1."""
    padded = np.pad(drawable(samples), len(window) // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, len(window))[::hop]
    return np.abs(np.fft.rfft(frames * (2 * window / window.sum()))) ** 2


def _resolution(window, rate):
    """Width of a window in seconds, and of its spectrum in Hz, at half of their height.

    Source: Harris (1978), whose table gives 1.21 bins without a window, 1.81 for Hamming's and
    2.00 for Hann's.
    """
    fine = np.abs(np.fft.rfft(window, 256 * len(window)))
    k = np.argmax(fine < fine[0] / 2)
    bins = 2 / 256 * (k - (fine[0] / 2 - fine[k]) / (fine[k - 1] - fine[k]))
    samples = (np.sum(window > window.max() / 2) + np.sum(window >= window.max() / 2)) / 2
    return float(samples / rate), float(bins * rate / len(window))
