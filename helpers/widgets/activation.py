"""What the model heard: its answer over time, what spoke for each class, and the part that decided.

In the course's networks the mean over time and frequency comes last but one (in the shipped one
over time alone, with weights for each band), so that a class's logit is exactly the mean of its
evidence in each place of the last feature map (Zhou et al., 2016). Where on the spectrogram that
evidence lies is less sharp: a place of the last map sees 75 frames and 75 bands, which is 1.2 s of
a window's 1.5, and all 64 bands. Read the tint as "about here".
"""

import html

import numpy as np
import scipy.ndimage
from matplotlib.colors import to_rgb

from helpers import evaluation, features, plots, windows
from helpers.audio import SAMPLE_RATE
from helpers.predict import SHIPPED, Classifier
from helpers.quiet import keras
from helpers.widgets.explorer import Explorer
from helpers.widgets.panel import drawable, player_table, png


class Ear(Explorer):
    """Explore clips with the ears of a classifier.

    Above, the probability of each class in each window, drawn at the window's middle, a larger dot
    where it counts more. Below, the spectrogram, tinted in a class's colour where the network found
    evidence for it. The part that decided is the window that moved the answer most.

    By keyboard: as Explorer.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        clips: a catalog.
        classifier: predict.Classifier, by default the model that the course ships. One that runs
            in LiteRT shows no layers inside, and gives no heat map.
        predictions, first: as Explorer.

    Attributes:
        prediction: predict.Prediction of the clip shown.
        part: (start, end) in seconds of the part that decided.
        map: float, shape (frames, 64): evidence for the class with the largest probability, by
            frames of 16 ms and mel bands, in logits; None without a network to look into.
    """

    def __init__(self, clips, classifier=None, predictions=None, first=None):
        self._classifier = classifier or Classifier.load(SHIPPED.with_suffix(".keras"))
        self._members = _members(self._classifier)
        limits = [self._classifier.card[name] for name in ("unsure_below", "other_from")]
        super().__init__(clips, predictions, first, *limits)

    def _views(self, said, row, samples, rate):
        answer = self.prediction = self._classifier.predict(samples, rate)
        self.part = _deciding(answer)
        self.map = _heat(self._members, samples, answer, self._classifier.card)
        shares = ", ".join(f"{n} {evaluation.percent(p)}" for n, p in answer.probabilities.items())
        said += f".<br>It hears: <b>{html.escape(answer.label)}</b> ({html.escape(shares)})"
        said += f", {html.escape(answer.reason)}" if answer.reason else ""
        known = self._classifier.knows(row.path)  # None where its card does not say
        trained = "it was trained on this clip" if known else "it was not trained on this clip"
        said += "." if known is None else f"; {trained}."
        tinted = "Tinted in a class's colour: what speaks for it."
        said += " " + ("No heat map: it does not show its layers." if self.map is None else tinted)
        start, end = self.part
        sounds = [
            ("the clip", samples, rate),
            (
                f"the part that decided, {start:.1f} to {end:.1f} s",
                samples[int(start * rate) : int(np.ceil(end * rate))],
                rate,
            ),
        ]
        return (
            said,
            png(lambda figure: self._draw(figure, samples, rate), 4.8),
            player_table(sounds),
        )

    def _draw(self, figure, samples, rate):
        answer, seconds = self.prediction, len(samples) / rate
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        plots.timeline(answer.timeline, ax=upper)
        upper.set(ylim=(-6, 106), yticks=(0, 50, 100), xlabel="")
        narrow = {"ncols": 4, "columnspacing": 1, "handlelength": 1.2, "handletextpad": 0.5}
        upper.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.96), frameon=False, **narrow)
        for mark in upper.get_legend().legend_handles:
            mark.set_sizes([30])
        plots.log_mel(drawable(samples), rate, ax=lower)
        lower.images[0].set_cmap("gray")
        if self.map is not None:
            lower.imshow(
                _tint(self.map, answer),
                origin="lower",
                aspect="auto",
                extent=(
                    0,
                    len(self.map) * features.HOP_LENGTH / rate,
                    -0.5,
                    self.map.shape[1] - 0.5,
                ),
            )
        for ax, colour in ((upper, "#333333"), (lower, "white")):
            for moment in self.part:
                ax.axvline(moment, color=colour, linewidth=1.2, linestyle="--")
        upper.set_title("dashed: the part that decided", loc="right", fontweight="normal")
        lower.set_xlim(0, seconds)


def _deciding(answer):
    """Start and end in seconds of the window that spoke most for the answer: weight x log odds."""
    share = answer.timeline[answer.best].clip(1e-9, 1 - 1e-9)
    best = (answer.timeline.weight * np.log(share / (1 - share))).idxmax()
    return float(answer.timeline.start[best]), float(answer.timeline.end[best])


def _members(classifier):
    """The networks whose mean logits a Keras classifier gives: (last feature map, weights) of each.

    Weights have the shape (rows in frequency, or 1 where all share them; channels; classes), so
    that the mean over all places is the logit. None if there is no network to be seen, or one that
    does not end in a mean over time and a dense layer.
    """
    whole = classifier.network  # of LiteRT there is only a function
    found = []
    networks = [whole] if isinstance(whole, keras.Model) else []
    while networks:
        model = networks.pop()
        inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
        networks += inner
        if inner or model is whole:
            continue
        if len(model.layers) < 3:
            return None
        *layers, _, dense = model.layers
        by_band = isinstance(layers[-1], keras.layers.Flatten)
        pool = layers[-2] if by_band else layers[-1]
        kinds = keras.layers.AveragePooling2D, keras.layers.GlobalAveragePooling2D
        if not isinstance(pool, kinds) or not isinstance(dense, keras.layers.Dense):
            return None
        _, rows, bands, channels = pool.input.shape
        weights = dense.get_weights()[0]
        if by_band and len(weights) != bands * channels:  # no mean over all of the time
            return None
        weights = weights.reshape(bands if by_band else 1, channels, -1)
        found.append((keras.Model(model.inputs[0], pool.input), weights * len(weights)))
    return found or None


def _evidence(members, cut, best, card):
    """What each place of each window adds to the log odds of one class, averaged over the networks.

    Args:
        members: as _members gives.
        cut: float32, shape (windows, 24000).
        best: number of the class.
        card: with the temperature.

    Returns:
        float, shape (windows, rows in time, rows in frequency); a window's mean, with the bias,
        is its logit for the class, less the mean of those for the others.
    """
    pictures, total = windows.network_input(cut), 0
    for network, weights in members:
        others = np.delete(weights, best, axis=2).mean(axis=2)
        places = np.array(network(pictures, training=False))
        total = total + np.sum(places * (weights[..., best] - others), axis=-1)
    return total / len(members) / card.get("temperature", 1.0)


def _heat(members, samples, answer, card):
    """Evidence over a clip, shape (frames, 64): the mean of the windows that cover a place.

    Each window counts by its share in the answer, times the number of windows: the mean over the
    clip stays that of the windows, and a place that more of them cover is no brighter for it.
    """
    if members is None:
        return None
    best = list(answer.probabilities).index(answer.best)
    hop = round(card["window_hop_seconds"] * SAMPLE_RATE)
    cut, weight = windows.sliding(samples, hop), answer.timeline.weight.to_numpy()
    parts = [_evidence(members, cut[k : k + 64], best, card) for k in range(0, len(cut), 64)]
    evidence = np.concatenate(parts) * len(cut) * weight[:, None, None]
    bands = len(features.mel_frequencies())
    zoom = bands // evidence.shape[2]  # pooling halves bands and frames alike, and drops the rest
    frames_a_hop = hop / features.HOP_LENGTH
    heat = np.zeros((int(len(cut) * frames_a_hop) + 2 * bands, bands))
    cover = np.zeros((len(heat), 1))
    for number, window in enumerate(evidence):
        window = scipy.ndimage.zoom(window, zoom, order=1, mode="nearest", grid_mode=True)
        start = round(number * frames_a_hop)
        heat[start : start + len(window)] += window
        cover[start : start + len(window)] += 1
    return (heat / np.maximum(cover, 1))[: 1 + len(samples) // features.HOP_LENGTH]


def _tint(heat, answer):
    """The map as colours, shape (64, frames, 4): what speaks for a class in that class's colour."""
    others = [name for name in answer.probabilities if name != answer.best]
    against = plots.colour(others[0]) if len(others) == 1 else "white"
    tint = np.empty((*heat.T.shape, 4))
    tint[..., :3] = np.where(
        heat.T[..., None] > 0, to_rgb(plots.colour(answer.best)), to_rgb(against)
    )
    tint[..., 3] = 0.7 * np.abs(heat.T) / max(np.abs(heat).max(), 1e-12)
    return tint
