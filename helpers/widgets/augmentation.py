"""What each augmentation does to a sound: a picture and a player before it, and one after it."""

import html
from itertools import count

import librosa
import numpy as np

from helpers import augmentation, features, plots, windows
from helpers.audio import SAMPLE_RATE
from helpers.widgets.panel import Lab, button, menu, player_table, png


class AugmentationPreview(Lab):
    """See and hear a sound before and after each augmentation and degradation of the course.

    Pictures are made audible by Griffin and Lim's method, which guesses the phases: hence the
    hoarse sound, before as after. Degradations change the waveform, and are heard as they are.

    By keyboard: Tab leads from control to control and to the players, Space opens a menu, Enter or
    Space draws again.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        sounds: dict of name to waveform at 16 kHz, of which the loudest 1.5 s are taken.
        seed: of the first draw.

    Attributes:
        kind: Dropdown of the augmentations.
        again: Button.
        before, after: float32, shape (frames, bands): the pictures drawn, dB.

    Source: Griffin and Lim (1984).
    """

    def __init__(self, sounds, seed=0):
        self._seed = seed
        self.kind = menu("augmentation", [*_PICTURES, *list(augmentation.DEGRADATIONS)[1:]])
        self.again = button("draw again", "The same augmentation, drawn anew", self._again)
        text = f"Augmentation preview of {', '.join(sounds)}"
        super().__init__(sounds, [[self.kind, self.again]], [self.kind], text)

    def _again(self, _):
        self._seed += 1
        self._redraw()

    def _shown(self):
        kind = self.kind.value
        wave = windows.loudest(self._samples(), 1.5, 1)[0]
        self.before = np.array(features.log_mel(wave))
        if kind in _PICTURES:
            self.after = self._augmented(kind, self._other() if kind == "mixup" else None)
            said = getattr(augmentation, kind).__doc__.splitlines()[0]
            sounds = [_griffin_lim(picture) for picture in (self.before, self.after)]
        else:
            rng = np.random.default_rng(self._seed)
            sounds = [wave, augmentation.DEGRADATIONS[kind](wave, rng)]
            self.after = np.array(features.log_mel(sounds[1]))
            said = "a recording that a model may meet; it is tested with it."
        rows = [(name, sound, SAMPLE_RATE) for name, sound in zip(("before", "after"), sounds)]
        note = f"<b>{html.escape(kind)}</b>: {html.escape(said)}"
        return note, png(self._draw, height=2.8), player_table(rows)

    def _other(self):
        """The picture of the next sound, to be mixed with this one's."""
        names = list(self._sounds)
        name = names[(names.index(self.name.value) + 1) % len(names)]
        return np.array(features.log_mel(windows.loudest(self._samples(name), 1.5, 1)[0]))

    def _augmented(self, kind, other):
        """The picture augmented; drawn until it has changed, for some spare most pictures."""
        for draw in count():
            after = _PICTURES[kind](self.before, other, np.random.default_rng([self._seed, draw]))
            if draw == 20 or not np.array_equal(after, self.before):
                return after

    def _draw(self, figure):
        top = max(self.before.max(), self.after.max())
        figure.subplots_adjust(right=0.93, wspace=0.14)
        left, right = figure.subplots(1, 2)
        for ax, levels, title, unit in [
            (left, self.before, "before", ""),
            (right, self.after, "after", "level (dB)"),
        ]:
            plots.spectrogram(
                levels,
                features.HOP_LENGTH / SAMPLE_RATE,
                features.mel_frequencies(),
                title=title,
                vmin=top - 60,
                vmax=top,
                ax=ax,
                unit=unit,
            )
        right.set(ylabel="", yticklabels=[])


def _mask(picture, other, rng):
    mean = picture.mean()  # the network's pictures have mean 0, behind which it hides
    return augmentation.mask((picture - mean)[None, ..., None], rng)[0, ..., 0] + mean


def _mixup(picture, other, rng):
    batch = np.stack([picture] + 7 * [other])  # the partner is drawn from the batch
    return augmentation.mixup(batch, np.ones((8, 1), np.float32), rng)[0][0]


def _alone(function):
    return lambda picture, other, rng: function(picture[None], rng)[0]


# name: what is done to a picture, with another one at hand
_PICTURES = {
    name: _alone(getattr(augmentation, name))
    for name in ("roll", "pitch_shift", "crop", "equalise", "reverberate", "noise_floor")
} | {"mask": _mask, "mixup": _mixup}


def _griffin_lim(picture):
    """A sound whose log-mel picture is about the given one: float32, shape (24000,)."""
    bands = features.mel_matrix().T
    density = 10 ** (picture.T / 10) / bands.sum(axis=1, keepdims=True)  # power a bin
    share = bands / bands.max(axis=1, keepdims=True)
    power = share.T @ density / np.maximum(share.sum(axis=0), 1e-3)[:, None]
    return librosa.griffinlim(
        np.sqrt(power),
        n_iter=32,
        hop_length=features.HOP_LENGTH,
        n_fft=features.FRAME_LENGTH,
        length=windows.LENGTH,
        random_state=0,
    )
