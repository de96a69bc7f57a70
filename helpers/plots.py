"""Every picture of the course: one style, units on every axis, one colour a class everywhere.

Importing this module sets that style for all of matplotlib: a lesson's own plots have it too.
"""

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.colors import to_hex, to_rgb

from helpers.audio import SAMPLE_RATE

# Okabe and Ito's colours, which colour-blind readers can tell apart
_CLASS_COLOURS = {"cat": "#D55E00", "dog": "#0072B2"}  # a class that is asked for joins them
_CLASS_COLOURS |= dict.fromkeys(("other", "neither", "none of these"), "#767676")  # of no class
_OTHERS = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000"]
_MIXED = [("#FFFFFF", 0.6), ("#000000", 0.5), ("#FFFFFF", 0.35), ("#000000", 0.3)]
_MIXED += [("#FFFFFF", 0.8), ("#000000", 0.7), ("#FFFFFF", 0.15), ("#000000", 0.15)]
_MOST_LINES = 8  # of a timeline: more are no picture
_NICE_HZ = np.array([0, 500, 1000, 2000, 4000, 8000, 16_000])

sns.set_theme(
    style="ticks",
    rc={
        "figure.figsize": (8, 2.8),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "axes.titlesize": "medium",
        "axes.titleweight": "bold",
        "axes.spines.top": False,
        "axes.spines.right": False,
    },
)


def colour(label):
    """The colour of a class: the same in every picture, and no other class's.

    The first eight classes have colours that colour-blind readers can tell apart. The others have
    lighter and darker ones of the same hues, which only their order in a legend makes sure of.
    """
    if label not in _CLASS_COLOURS:
        start = sum(map(ord, str(label))) % len(_OTHERS)  # likely the same in every program
        free = [one for one in _palette(start) if one not in _CLASS_COLOURS.values()]
        _CLASS_COLOURS[label] = free[0] if free else _OTHERS[start]
    return _CLASS_COLOURS[label]


def _palette(start):
    """All colours, from one of the six on, those that are told apart best first."""
    yield from _OTHERS[start:] + _OTHERS[:start]
    hues = ["#D55E00", "#0072B2", *_OTHERS[:-2]]  # grey and black have no lighter and darker
    for towards, share in _MIXED:
        for hue in hues:
            pair = np.array([to_rgb(hue), to_rgb(towards)])
            yield to_hex([1 - share, share] @ pair).upper()


def waveform(samples, sample_rate=SAMPLE_RATE, *, title="", label=None, ax=None):
    """Amplitude over time.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        samples: float, shape (samples,), full scale at +-1.
        sample_rate: Hz.
        title: of the plot.
        label: class, for its colour.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    ax = ax or plt.subplots()[1]
    time = np.arange(len(samples)) / sample_rate
    ax.plot(time, samples, color=colour(label) if label else "#333333", linewidth=0.6)
    limit = max(1.05 * np.abs(samples).max(initial=0), 0.01)
    ax.set(
        title=title,
        xlabel="time (s)",
        ylabel="amplitude\n(full scale = 1)",
        xlim=(0, len(samples) / sample_rate),
        ylim=(-limit, limit),
    )


def spectrogram(
    levels, hop_seconds, frequencies, *, title="", vmin=None, vmax=None, ax=None, unit="level (dB)"
):
    """Level over time and frequency, one row a frequency bin or mel band.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        levels: shape (frames, bins).
        hop_seconds: seconds between frames.
        frequencies: Hz, shape (bins,): the centre of each bin or band, rising.
        title: of the plot.
        vmin, vmax: levels at the ends of the colour bar.
        ax: matplotlib axes to draw into; a new figure by default.
        unit: name of the colour bar.
    """
    ax = ax or plt.subplots()[1]
    levels, frequencies = np.asarray(levels), np.asarray(frequencies)
    frames, bins = levels.shape
    image = ax.imshow(
        levels.T,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=vmin,
        vmax=vmax,
        extent=(0, frames * hop_seconds, -0.5, bins - 0.5),
        interpolation="nearest",
    )
    step = np.diff(frequencies, prepend=frequencies[0])
    even = np.allclose(step[1:], step[1], rtol=0.01)
    ticks = np.arange(0, frequencies[-1] + 1, 2000) if even else _NICE_HZ
    ticks = ticks[ticks <= frequencies[-1] * 1.02]
    ax.set_yticks(np.interp(ticks, frequencies, np.arange(bins)), [f"{t:g}" for t in ticks])
    ax.set(title=title, xlabel="time (s)", ylabel="frequency (Hz)")
    ax.figure.colorbar(image, ax=ax, label=unit, pad=0.01)


def rows(values, hop_seconds, ticks, *, title="", ylabel="", unit="", vmin=None, ax=None):
    """Values over time, one row a coefficient or pitch class; blue and red if some are negative.

    Taught in notebooks/06_mfcc_vs_spectrogram.ipynb.

    Args:
        values: shape (frames, rows).
        hop_seconds: seconds between frames.
        ticks: {row: its name}, of the rows to be named.
        title, ylabel, unit: of the plot, of the rows, of the colour bar.
        vmin: value at the lower end of the colour bar; without it, 0 is in the middle.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    ax = ax or plt.subplots()[1]
    values = np.asarray(values)
    limit = np.abs(values).max()
    look = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    if vmin is not None:
        look = {"cmap": "magma", "vmin": vmin}
    image = ax.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, len(values) * hop_seconds, -0.5, values.shape[1] - 0.5),
        **look,
    )
    ax.set_yticks(list(ticks), list(ticks.values()))
    ax.set(title=title, xlabel="time (s)", ylabel=ylabel)
    ax.figure.colorbar(image, ax=ax, label=unit, pad=0.01)


def clip(samples, sample_rate=SAMPLE_RATE, *, title="", label=None, figure=None):
    """Waveform above log-mel spectrogram, on one time axis.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        samples: float32, shape (samples,), 16 kHz.
        sample_rate: Hz.
        title: of the figure.
        label: class, for the waveform's colour.
        figure: matplotlib figure to draw into; a new one by default.
    """
    figure = figure or plt.figure(figsize=(8, 4.2))
    upper, lower = figure.subplots(2, 1, sharex=True)
    waveform(samples, sample_rate, title=title, label=label, ax=upper)
    upper.set_xlabel("")
    log_mel(samples, sample_rate, ax=lower)
    lower.set_xlim(0, len(samples) / sample_rate)


def log_mel(samples, sample_rate=SAMPLE_RATE, *, title="", ax=None):
    """Log-mel spectrogram of a waveform, its loudest 70 dB.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        samples: float32, shape (samples,).
        sample_rate: Hz.
        title: of the plot.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    from helpers import features  # which a Space does without

    levels = features.log_mel(samples, sample_rate)
    hertz = features.mel_frequencies(sample_rate)
    spectrogram(
        levels, features.HOP_LENGTH / sample_rate, hertz, title=title, vmin=levels.max() - 70, ax=ax
    )


def timeline(windows, *, title="", ax=None):
    """A model's probabilities over time: a dot a window, at its middle, larger where louder.

    Windows of less than a fiftieth of the loudest one's level are pauses, and are left out. Of more
    than eight classes those are drawn that are likeliest in any window.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        windows: DataFrame as Prediction.timeline of helpers.predict.
        title: of the plot.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    ax = ax or plt.subplots()[1]
    share = windows.weight / max(windows.weight.max(), 1e-9)
    middle = ((windows.start + windows.end) / 2).where(share > 0.02)  # a pause tells nothing
    names = windows.columns.drop(["start", "end", "weight"])
    highest = windows[names].where(share > 0.02, 0).max().nlargest(_MOST_LINES)
    for name in names[names.isin(highest.index)]:
        ax.plot(middle, 100 * windows[name], color=colour(name), linewidth=1, alpha=0.6)
        ax.scatter(
            middle,
            100 * windows[name],
            60 * share,
            color=colour(name),
            label=name,
            zorder=3,
            clip_on=False,
            linewidths=0,
        )
    ax.axhline(50, color="#999999", linewidth=0.8, linestyle=":")
    ax.set(
        title=title,
        xlabel="time (s)",
        ylabel="probability (%)",
        xlim=(0, windows.end.max()),
        ylim=(0, 100),
    )
    legend = ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    for mark in legend.legend_handles:
        mark.set_sizes([40])


def curves(history, *, measure="accuracy", title="", ax=None):
    """Accuracy or loss on the training and validation parts over the epochs.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        history: DataFrame indexed by epoch, with the columns accuracy and val_accuracy, or loss and
            val_loss; those of the validation part may be missing.
        measure: "accuracy" or "loss".
        title: of the plot.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    ax = ax or plt.subplots()[1]
    scale = 100 if measure == "accuracy" else 1
    drawn = [(measure, "#333333", "-", "training")]
    drawn.append((f"val_{measure}", "#009E73", "--", "validation"))
    for column, tint, dashes, name in drawn:
        if column in history:
            ax.plot(history.index, scale * history[column], color=tint, ls=dashes, label=name)
    unit = "accuracy (%)" if measure == "accuracy" else "cross-entropy (nats)"
    ax.set(title=title, xlabel="epoch", ylabel=unit)
    ax.set_ylim(0, 102 if measure == "accuracy" else None)
    ax.locator_params(axis="x", integer=True)
    ax.legend(loc="lower right" if measure == "accuracy" else "best", frameon=False)


def descent(weights, losses, paths):
    """Steps of gradient descent on the curve of a loss over one weight, a panel a path.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        weights, losses: float, shape (points,): the curve, from the left to the right.
        paths: {title: weights}: where the descent stood, from its first place on; what lies beyond
            the curve's ends is left out.
    """
    figure, axes = plt.subplots(1, len(paths), figsize=(8, 2.8), sharey=True, squeeze=False)
    for ax, (title, path) in zip(axes[0], paths.items(), strict=True):
        path = np.asarray(path, float)
        heights = np.interp(path, weights, losses, left=np.nan, right=np.nan)
        ax.plot(weights, losses, color="#999999")
        ax.plot(path, heights, "-", color="#CC79A7", linewidth=1)
        ax.plot(path, heights, "o", color="#CC79A7", markersize=5)
        ax.plot(path[0], heights[0], "o", color="#333333", markersize=7)
        ax.set(title=title, xlabel="weight (number)")
    axes[0, 0].set_ylabel("cross-entropy (nats)")


def grid(
    pictures,
    *,
    unit,
    xlabel="frame (number)",
    ylabel="band (number)",
    vmin=None,
    vmax=None,
    columns=4,
):
    """Several pictures side by side on one scale of colours, each with its title.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        pictures: {title: float, shape (frames, bands)}.
        unit: name of the colour bar.
        xlabel, ylabel: of the axes.
        vmin, vmax: values at the ends of the colour bar; without vmin blue is below 0, red above.
        columns: pictures a row.
    """
    count = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    size = (10 if columns > 3 else 8, 0.4 + 2.3 * count)
    figure, axes = plt.subplots(count, columns, figsize=size, squeeze=False)
    look = {"cmap": "magma", "vmin": vmin, "vmax": vmax}
    if vmin is None:
        limit = max(np.abs(picture).max() for picture in pictures.values())
        look = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    for ax in axes.flat[len(pictures) :]:
        ax.set_axis_off()
    for ax, (title, picture) in zip(axes.flat, pictures.items(), strict=False):
        image = ax.imshow(
            np.asarray(picture).T, origin="lower", aspect="auto", interpolation="nearest", **look
        )
        ax.set_title(title)
        ax.locator_params(nbins=4, integer=True)
    for ax in axes[-1]:
        ax.set_xlabel(xlabel)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    figure.colorbar(image, ax=axes, label=unit, pad=0.01)


def confusion(counts, names, *, title="", ax=None):
    """Confusion matrix: how many clips of each class were called what.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        counts: int, shape (classes, classes), a row a true class.
        names: the labels in that order.
        title: of the plot.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    ax = ax or plt.subplots(figsize=(4.2, 3.4))[1]
    sns.heatmap(
        counts,
        annot=True,
        fmt="d",
        cmap="Blues",
        vmin=0,
        square=True,
        ax=ax,
        xticklabels=names,
        yticklabels=names,
        cbar_kws={"label": "clips (count)"},
    )
    ax.set(title=title, xlabel="called (class)", ylabel="truly (class)")


def ladder(results, *, title="", ax=None):
    """Balanced accuracy and its interval: rivals in grey, then the steps from first to best.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        results: dict with the lists rivals and rungs, each of dicts with name, balanced_accuracy,
            low and high (shares of 1), and kept (bool) of each rung, as
            benchmarks/results/ladder.json holds.
        title: of the plot.
        ax: matplotlib axes to draw into; a new figure by default.
    """
    from helpers.evaluation import percent  # the page on the web has no such module

    gap = len(results["rivals"])
    rows = {place: (row, "#999999") for place, row in enumerate(results["rivals"])}
    for place, row in enumerate(results["rungs"], gap + 1):
        rows[place] = row, "#0072B2" if row["kept"] else "#56B4E9"
    ax = ax or plt.subplots(figsize=(8, 0.8 + 0.25 * len(rows)))[1]
    for place, (row, tint) in rows.items():
        value, low, high = (100 * row[name] for name in ("balanced_accuracy", "low", "high"))
        ax.plot([low, high], [place, place], color=tint, linewidth=2, alpha=0.5)
        ax.plot(value, place, "o", color=tint, markersize=5)
        said = percent(row["balanced_accuracy"], 1).removesuffix(" %")
        ax.annotate(said, (101, place), va="center", annotation_clip=False)
    ax.set_yticks(list(rows), [row["name"] for row, _ in rows.values()])
    ax.set(
        title=title,
        xlabel="balanced accuracy (%)",
        ylabel="method (name)",
        xlim=(40, 100),
        ylim=(max(rows) + 0.7, -0.7),
    )
    ax.grid(axis="x", alpha=0.3)
