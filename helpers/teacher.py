"""What a large network, the teacher, hears in windows that were changed as waveforms.

A small network is taught by it: it gets the same changed window, moved and masked a little more,
and learns to make of it what the large one does. `transfer.of_windows` gives the same for windows
as they are.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from helpers import audio, augmentation, datasets, transfer, windows


@dataclass
class Heard:
    """Changed windows and what the teacher makes of them.

    Attributes:
        levels: float16, shape (windows, 94, 64), log-mel in dB, brought to one level.
        embeddings: float16, shape (windows, embeddings), the square root.
        clip, behind: str, shape (windows,): the clip a window is of, and the one laid under it or
            "".
    """

    levels: np.ndarray
    embeddings: np.ndarray
    clip: np.ndarray
    behind: np.ndarray

    def __len__(self):
        return len(self.clip)

    def of(self, clips):
        """Those in which nothing is heard but clips of a catalog."""
        return self.where(
            np.isin(self.clip, clips.index) & np.isin(self.behind, [*clips.index, ""])
        )

    def where(self, kept):
        """Those of which an array of bool, shape (windows,), says True."""
        return Heard(**{name: part[kept] for name, part in vars(self).items()})

    def and_of(self, more):
        """These, and after them what was heard of other clips."""
        parts = vars(more)
        return Heard(**{name: np.concatenate([x, parts[name]]) for name, x in vars(self).items()})


def hear(clips, backbone, drawn, behind=None, seed=0, threads=2):
    """Change windows as another animal, room, street or phone would, and let the teacher hear them.

    Of each the network's log-mel is kept and the teacher's embeddings, of its middle 0.975 s.

    Args:
        clips: a catalog.
        backbone: as from transfer.yamnet; asked by several threads at once.
        drawn: (rows of the catalog, places): of each window the clip, and how many windows of
            windows.sliding come before it there; int, shape (windows,) each.
        behind: the same of the windows that may be laid under, at random; by default none is.
        seed: of all that is random; window number i is the same whatever the threads.
        threads: at once.

    Returns:
        what was heard: levels, embeddings, clip and behind, in the order of drawn.

    Source: Hinton, Vinyals and Dean (2015); that both should hear the same, Beyer et al. (2022).
    """
    waves = [audio.load(path)[0] for path in clips.path]
    other = (clips.label == datasets.OTHER).to_numpy()

    def one(i):
        rng, row = np.random.default_rng([seed, i]), drawn[0][i]
        wave, under = _cut(waves[row], drawn[1][i]), -1
        if rng.random() < 0.9:
            wave = augmentation.change_speed(wave, rng)
            if not other[row]:
                wave = augmentation.shorten(wave, rng)
            if rng.random() < 0.4:
                decay, ratio = rng.uniform(0.1, 1.0), rng.uniform(-3, 15)
                wave = augmentation.echo(wave[None], decay, ratio, rng)[0]
            if behind is not None and rng.random() < (0.3 if other[row] else 0.6):
                j = rng.integers(len(behind[0]))
                under = behind[0][j]
                street = augmentation.change_speed(_cut(waves[under], behind[1][j]), rng)
                wave = augmentation.lay_wave_under(wave, street, rng)
            wave = augmentation.filter_wave(wave, rng)
            if rng.random() < 0.7:
                wave = augmentation.add_noise(wave[None] + 1e-9, rng.uniform(0, 45), rng)[0]
        levels = windows.of_clip(wave)[0][0]
        middle = (windows.LENGTH - transfer.FRAME) // 2
        inner = backbone(wave[middle : middle + transfer.FRAME])[0].mean(axis=0)
        return levels.astype(np.float16), np.sqrt(inner).astype(np.float16), under

    with ThreadPoolExecutor(threads) as pool:
        levels, embeddings, under = zip(*pool.map(one, range(len(drawn[0]))))
    names = np.array([*clips.index, ""])  # the last one is that of -1
    return Heard(
        np.stack(levels), np.stack(embeddings), names[np.asarray(drawn[0])], names[list(under)]
    )


def _cut(wave, place):
    """The window of a clip that begins after so many hops; zeros after the clip's end."""
    return audio.fit_length(wave[place * windows.HOP :], windows.LENGTH)
