"""Every picture of the course: one style, units on every axis, one colour a class everywhere.

Importing this module sets that style for all of matplotlib: a lesson's own plots have it too.
"""

from itertools import cycle, pairwise

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from cycler import cycler
from matplotlib.colors import ListedColormap, to_hex, to_rgb
from matplotlib.patches import Arc, Rectangle

from helpers.audio import SAMPLE_RATE

# Okabe and Ito's colours, which colour-blind readers can tell apart
_CLASS_COLOURS = {"cat": "#D55E00", "dog": "#0072B2"}  # a class that is asked for joins them
_CLASS_COLOURS |= dict.fromkeys(("other", "neither", "none of these"), "#767676")  # of no class
_OTHERS = ["#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#999999", "#000000"]
_MIXED = [("#FFFFFF", 0.6), ("#000000", 0.5), ("#FFFFFF", 0.35), ("#000000", 0.3)]
_MIXED += [("#FFFFFF", 0.8), ("#000000", 0.7), ("#FFFFFF", 0.15), ("#000000", 0.15)]
_MOST_LINES = 8  # of a timeline: more are no picture
_MARKERS = "os^Dv<>P"  # told apart without colours, too
_ROUNDS = ListedColormap(["#DDDDDD", "#009E73"])  # learnt from, held out: of no class
_CURVES = ["#333333", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]  # neither cat's nor dog's
_NICE_HZ = np.array([0, 500, 1000, 2000, 4000, 8000, 16_000])

sns.set_theme(
    style="ticks",
    rc={
        "figure.figsize": (8, 2.8),
        "figure.dpi": 100,
        "figure.constrained_layout.use": True,
        "axes.titlesize": "medium",
        "axes.titleweight": "bold",
        "axes.prop_cycle": cycler(color=_CURVES),
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


def waveform(
    samples, sample_rate=SAMPLE_RATE, *, title="", label=None, ax=None, milliseconds=False
):
    """Amplitude over time.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        samples: float, shape (samples,), full scale at +-1.
        sample_rate: Hz.
        title: of the plot.
        label: class, for its colour.
        ax: matplotlib axes to draw into; a new figure by default.
        milliseconds: on the time axis, in place of seconds; for a waveform by itself.
    """
    ax = ax or plt.subplots()[1]
    end, few = len(samples) / sample_rate, len(samples) < 2_000
    scale, unit = (1000, "ms") if milliseconds else (1, "s")
    time = scale * np.arange(len(samples)) / sample_rate
    tint = colour(label) if label else "#333333"
    ax.plot(time, samples, color=tint, linewidth=1.3 if few else 0.6)
    limit = max(1.05 * np.nanmax(np.abs(samples), initial=0), 0.01)
    ax.set(
        title=title,
        xlabel=f"time ({unit})",
        ylabel="amplitude\n(full scale = 1)",
        xlim=(0, scale * end),
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

    Taught in notebooks/00_start_here.ipynb.

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
    """A model's probabilities over time: a mark a window, at its middle, larger where it counts.

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
    names = windows.columns.drop(["start", "end", "level", "weight"], errors="ignore")
    highest = windows[names].where(share > 0.02, 0).max().nlargest(_MOST_LINES)
    for name, marker in zip(names[names.isin(highest.index)], cycle(_MARKERS)):
        ax.plot(middle, 100 * windows[name], color=colour(name), linewidth=1, alpha=0.6)
        ax.scatter(
            middle,
            100 * windows[name],
            6 + 54 * share,
            color=colour(name),
            marker=marker,
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
        ylim=(-3, 103),
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
    size = (8, 0.4 + (2.0 if columns > 3 else 2.3) * count)
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
        ax.set_title(title, fontsize="small" if columns > 3 else None)
        ax.locator_params(nbins=4, integer=True)
    if len(set(map(np.shape, pictures.values()))) == 1 and len(pictures) % columns == 0:
        for ax in axes.flat:
            ax.label_outer()  # the axes beside and below are the same
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
        cbar=False,  # the counts stand in the picture
    )
    ax.tick_params(axis="y", rotation=0)
    ax.set(title=title, xlabel="called (class)", ylabel="truly (class)")


def intervals(lows, highs, truth):
    """The intervals of many tests, one line each: grey where they hold the truth, pink elsewhere.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        lows, highs: shares from 0 to 1, shape (tests,).
        truth: share from 0 to 1.
    """
    ax = plt.subplots()[1]
    holds = (lows <= truth) & (truth <= highs)
    for kind, said, tint, width in (
        (holds, "hold", "#999999", 1.5),
        (~holds, "miss", _CURVES[2], 3),
    ):
        at = np.flatnonzero(kind)
        name = f"{len(at)} {said} the truth"
        ax.vlines(at, 100 * lows[at], 100 * highs[at], label=name, color=tint, linewidth=width)
    ax.axhline(100 * truth, color="#333333", linestyle="--", label="the truth")
    title = f"{len(lows)} tests of one model, each with its interval"
    ax.set(title=title, xlabel="test (number)", ylabel="accuracy (%)")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def roc(curves):
    """ROC curves: the share that is found over the share that is falsely called so.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        curves: {"label: what else the legend says": (false, found)}, shares from 0 to 1.
    """
    ax = plt.subplots(figsize=(4.2, 4))[1]
    for name, (false, found) in curves.items():
        tint = colour(name.split(":")[0])
        ax.step(100 * false, 100 * found, where="post", color=tint, label=name)
    ax.plot([0, 100], [0, 100], color="#999999", linestyle="--", label="guessing: AUC 0.50")
    ax.set(title="Every threshold at once", xlabel="others called so (%)", ylabel="found (%)")
    ax.legend(loc="lower right", frameon=False)


def reliability(tables):
    """Reliability diagram: accuracy over confidence, bin by bin, with 95 % intervals.

    Taught in notebooks/05_evaluate.ipynb.

    Args:
        tables: {name: DataFrame with a row a bin: clips, confidence, accuracy (shares of 1)}, as
            from evaluation.reliability.
    """
    from helpers.evaluation import wilson  # the page on the web has no such module

    ax = plt.subplots(figsize=(5, 4))[1]
    ax.plot([0, 100], [0, 100], color="#999999", linestyle="--", label="calibrated")
    looks, least = cycle(zip(["#333333", _CURVES[2]], ["o-", "s:"], [0, 0.4])), 45
    for (name, bins), (tint, look, shift) in zip(tables.items(), looks):
        x, y = 100 * bins.confidence + shift, 100 * bins.accuracy
        ends = [wilson(round(n * share), n) for n, share in zip(bins.clips, bins.accuracy)]
        ax.vlines(x, *(100 * np.array(ends).T), color=tint, linewidth=1, alpha=0.7)
        ax.plot(x, y, look, color=tint, label=name)
        least = min(least, *(100 * low for low, _ in ends))
    ax.set(title="Reliability", xlabel="confidence (%)", ylabel="accuracy (%)")
    left = min(50, *(100 * bins.confidence.min() for bins in tables.values()))
    ax.set(xlim=(left - 3, 102), ylim=(least - 3, 102))
    ax.legend(loc="lower right", frameon=False)


def learning_curve(points, *, title="", floor=0.0, without=None):
    """Balanced accuracy over the clips learnt from, one line a way, on a logarithmic axis.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        points: DataFrame with the columns way, clips (a class) and accuracy (share of 1). Several
            rows of one way and number are draws: small marks, and the line is their mean. With the
            columns low and high a row has an interval.
        title: of the plot.
        floor: percent at which the picture ends below.
        without: what is reached without any clips, share of 1; a grey line.
    """
    ax = plt.subplots(figsize=(7.4, 3.8))[1]
    styles = ["o-", "s--", "^:", "v-."]
    ways = points.groupby("way", sort=False)
    tints = ["#009E73", "#333333", "#CC79A7", "#E69F00"]
    for k, ((way, part), tint, style) in enumerate(zip(ways, cycle(tints), cycle(styles))):
        mean, shift = 100 * part.groupby("clips").accuracy.mean(), 0.97 + 0.03 * k
        ax.plot(shift * mean.index, mean, style, color=tint, label=way)
        if "low" in part:
            ends = 100 * part.low, 100 * part.high
            ax.vlines(shift * part.clips, *ends, color=tint, linewidth=1)
        else:
            ax.scatter(shift * part.clips, 100 * part.accuracy, s=10, alpha=0.4, color=tint)
    if without is not None:
        ax.axhline(100 * without, color="#999999", linewidth=1, label="zero-shot")
    ax.set(title=title, ylim=(floor, 102), xscale="log", ylabel="balanced accuracy (%)")
    ax.set(xlabel="clips a class to learn from (count)")
    ax.set_xticks(*[sorted(points.clips.unique())] * 2)
    ax.minorticks_off()
    ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


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
        rows[place] = row, _CURVES[1]
    ax = ax or plt.subplots(figsize=(8, 0.8 + 0.25 * len(rows)))[1]
    for place, (row, tint) in rows.items():
        value, low, high = (100 * row[name] for name in ("balanced_accuracy", "low", "high"))
        ax.plot([low, high], [place, place], color=tint, linewidth=2, alpha=0.5)
        inside = tint if row.get("kept", True) else "white"  # hollow: tried, and not kept
        ax.plot(value, place, "o", color=tint, markersize=5, markerfacecolor=inside)
        said = percent(row["balanced_accuracy"], 1).removesuffix(" %")
        look = {"va": "center_baseline", "fontsize": "small", "annotation_clip": False}
        ax.annotate(said, (101, place), **look)
    ax.set_yticks(list(rows), [row["name"] for row, _ in rows.values()])
    ax.set(
        title=title,
        xlabel="balanced accuracy (%)",
        ylabel="method (name)",
        xlim=(40, 100),
        ylim=(max(rows) + 0.7, -0.7),
    )
    ax.grid(axis="x", alpha=0.3)


def folds(dealt, recordings):
    """Who is learnt from and who is held out in each round, where clips are dealt into folds.

    A row a round, a box a clip, the clips of a recording side by side. A held-out clip whose
    recording is learnt from in the same round has a cross; the title says how many have.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        dealt: {title: int, shape (clips,)}: the fold of each clip, from 0, a panel each.
        recordings: shape (clips,): the recording of each clip, equal ones side by side.
    """
    recordings = np.asarray(recordings)
    n = len(recordings)
    starts = np.flatnonzero(np.r_[True, recordings[1:] != recordings[:-1]])
    _, axes = plt.subplots(len(dealt), 1, figsize=(8, 2.1 * len(dealt) + 0.4), sharex=True)
    for ax, (title, fold) in zip(np.atleast_1d(axes), dealt.items(), strict=True):
        held = np.asarray(fold) == np.arange(1 + max(fold))[:, None]  # a row a round
        learnt = np.stack([np.isin(recordings, recordings[~row]) for row in held])
        leaks = held & learnt
        ax.pcolormesh(held, cmap=_ROUNDS, edgecolor="white", linewidth=1.5)
        row, clip = np.nonzero(leaks)
        ax.plot(clip + 0.5, row + 0.5, "x", color="white", markersize=7, markeredgewidth=2)
        ax.vlines(starts[1:], 0, len(held), color="#333333", linewidth=1.2)
        ax.set(
            title=f"{title}: {leaks.sum()} of {n} held-out clips have kin in training",
            ylabel="round (number)",
            ylim=(len(held), 0),
        )
        ax.set_yticks(np.arange(len(held)) + 0.5, np.arange(len(held)) + 1)
        ax.tick_params(length=0)
        sns.despine(ax=ax, left=True, bottom=True)
    ends = np.r_[starts[1:], n]
    ax.set_xticks((starts + ends) / 2, np.arange(len(starts)) + 1)
    ax.set_xlabel("recording (number)")
    look = {"marker": "s", "linestyle": "", "markersize": 10}
    marks = [
        plt.Line2D([], [], color=_ROUNDS(0), label="learnt from", **look),
        plt.Line2D([], [], color=_ROUNDS(1), label="held out", **look),
    ]
    ax.figure.legend(handles=marks, loc="outside lower center", frameon=False, ncols=2)


def timetable(runs):
    """Who worked when: a panel a run, a row a worker, a bar from each start to its end.

    Taught in notebooks/03_data_pipeline.ipynb.

    Args:
        runs: {title: DataFrame with the columns what (name of the worker), start and end (s)}.
    """
    figsize = (8, 0.6 + 0.95 * len(runs))
    _, axes = plt.subplots(len(runs), 1, figsize=figsize, sharex=True, squeeze=False)
    for ax, (title, spans) in zip(axes[:, 0], runs.items(), strict=True):
        workers = list(dict.fromkeys(spans.what))
        for row, (name, tint) in enumerate(zip(workers, cycle(_CURVES[1:]))):
            part = spans[spans.what == name]
            bars = np.stack([part.start, part.end - part.start], axis=1)
            ax.broken_barh(bars, (row - 0.4, 0.8), color=tint, edgecolor="white", linewidth=0.4)
        ax.set(title=f"{title}: {spans.end.max():.2f} s", ylabel="worker\n(name)")
        ax.set_ylim(len(workers) - 0.4, -0.6)
        ax.set_yticks(range(len(workers)), workers)
        ax.set_xlim(0, max(run.end.max() for run in runs.values()))
    ax.set_xlabel("time (s)")


# ---- what a network is made of, in lesson 07
_STATIONS = {"data": ("white", "#333333"), "frozen": ("#DDDDDD", "#767676")}  # face, edge
_STATIONS["learns"] = ("#CDEBE1", "#009E73")


def stations(parts):
    """What a sound passes on its way to an answer: a box a station, a lock on frozen ones.

    Taught in notebooks/07_transfer_learning.ipynb.

    Args:
        parts: {name: (what it holds, "data", "frozen" or "learns")}, in order: white, grey, green.
    """
    ax = plt.subplots(figsize=(8, 1.3))[1]
    ax.set(xlim=(0, 8), ylim=(0, 1.3))  # in inches, so that round is round
    ax.axis("off")
    step = 8 / len(parts)
    for left, (name, (holds, kind)) in zip(step * np.arange(len(parts)), parts.items()):
        face, edge = _STATIONS[kind]
        look = {"facecolor": face, "edgecolor": edge, "linewidth": 2}
        ax.add_patch(Rectangle((left + 0.05, 0.1), step - 0.35, 1.1, **look))
        for y, text, weight in ((0.98, name, "bold"), (0.5, holds, "normal")):
            at = {"ha": "center", "va": "center", "size": 9, "weight": weight}
            ax.text(left + step / 2 - 0.125, y, text, **at)
        if left:
            arrow = {"arrowstyle": "->", "color": "#333333"}
            ax.annotate("", (left + 0.05, 0.65), (left - 0.3, 0.65), arrowprops=arrow)
        if kind == "frozen":
            x = left + step - 0.47
            ax.add_patch(Rectangle((x, 0.14), 0.14, 0.11, color=edge))
            ax.add_patch(Arc((x + 0.07, 0.25), 0.09, 0.16, theta2=180, color=edge, linewidth=2))


# ---- curves and animations of lessons 01 and 02
_DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1))]


def lines(x, curves, *, title="", xlabel="", ylabel="", dots=(), ax=None, **limits):
    """Curves over one axis, each with a colour and a dash of its own; one alone has no legend.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        x: float, shape (n,).
        curves: {name: float, shape (n,)}.
        title, xlabel, ylabel: of the plot, with units.
        dots: names of the curves that are drawn as dots.
        ax: matplotlib axes to draw into; a new figure by default.
        limits: what else matplotlib's Axes.set takes, such as xlim.
    """
    ax = ax or plt.subplots()[1]
    for (name, y), tint, dash in zip(curves.items(), cycle(_CURVES), cycle(_DASHES)):
        look = {"ls": "", "marker": ".", "ms": 5} if name in dots else {"ls": dash, "lw": 1.3}
        ax.plot(x, y, label=name, color=tint, **look)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel, **limits)
    if len(curves) > 1:
        ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))


def spectra(levels, frequencies, *, signs="×="):
    """Spectra side by side, with the signs between them that say how they belong together.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        levels: {name: float, shape (bins,)}, dB; what is multiplied adds in decibels.
        frequencies: Hz, shape (bins,).
        signs: one character between each two.
    """
    figure, axes = plt.subplots(1, len(levels), figsize=(8, 2.6), sharey=True)
    for ax, (name, level), tint in zip(axes, levels.items(), cycle(_CURVES)):
        ax.plot(frequencies, level, color=tint, linewidth=1.2)
        ax.set(title=name, xlabel="frequency (Hz)", xlim=(0, frequencies[-1]))
    for ax, sign in zip(axes[1:], signs):
        ax.annotate(
            sign,
            (-0.1, 1.09),
            xycoords="axes fraction",
            fontsize=22,
            ha="center",
            va="center",
            annotation_clip=False,
        )
    axes[0].set_ylabel("level (dB)")


def strobe(frequency, sample_rate, *, flashes=12, file=None):
    """Animation of aliasing: a wheel that turns, and what flashes at the sample rate show of it.

    Left the wheel, in the middle its hand at the last flash, right the wave that the hand's height
    draws, its samples, and the slowest wave through them.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        frequency: Hz, turns of the wheel a second.
        sample_rate: Hz, flashes a second.
        flashes: how many are shown.
        file: where to write the animation too, as a GIF; nowhere by default.
    """
    steps = 4  # pictures a flash
    turns = frequency / sample_rate
    seen = turns - round(turns)  # whole turns between flashes cannot be seen
    flash = np.arange(flashes * steps + 1) / steps
    figure, (wheel, shown, wave) = plt.subplots(
        1, 3, figsize=(8, 2.6), width_ratios=[1, 1, 2.4], dpi=80
    )
    hands = []
    for ax, tint, title in [(wheel, _CURVES[0], "the wheel"), (shown, _CURVES[1], "by flashes")]:
        ax.add_patch(plt.Circle((0, 0), 1, fill=False, color="#999999"))
        ax.set(title=title, xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
        ax.axis("off")
        hands.append(ax.plot([], [], color=tint, linewidth=3, marker="o")[0])
    (path,) = shown.plot([], [], color=_CURVES[2], linewidth=2)
    milliseconds = 1000 * flash / sample_rate
    curves = [
        (_CURVES[0], "-", "", turns),
        (_CURVES[2], "--", "", seen),
        (_CURVES[1], "", "o", seen),
    ]
    names = [f"{frequency:,} Hz", f"{abs(seen) * sample_rate:,.0f} Hz", "samples"]
    drawn = [
        wave.plot([], [], color=tint, ls=dash, marker=mark, label=name)[0]
        for (tint, dash, mark, _), name in zip(curves, names, strict=True)
    ]
    wave.set(
        title=f"{frequency:,} turns and {sample_rate:,} flashes a second",
        xlabel="time (ms)",
        ylabel="height of the hand\n(radius = 1)",
        xlim=(0, 1.03 * milliseconds[-1]),
        ylim=(-1.2, 1.2),
    )
    wave.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    fine = np.linspace(0, flashes, 60 * flashes + 1)

    def update(step):
        now, last = flash[step], int(flash[step])
        angle = 2 * np.pi * turns * now
        hands[0].set_data([0, np.cos(angle)], [0, np.sin(angle)])
        stood = 2 * np.pi * seen * last
        hands[1].set_data([0, np.cos(stood)], [0, np.sin(stood)])
        arc = np.linspace(stood - 2 * np.pi * seen * (last > 0), stood, 30)
        path.set_data(0.8 * np.cos(arc), 0.8 * np.sin(arc))
        so_far = fine[fine <= now]
        for line, rate in zip(drawn[:2], (turns, seen), strict=True):
            line.set_data(1000 * so_far / sample_rate, np.sin(2 * np.pi * rate * so_far))
        at = np.arange(last + 1)
        drawn[2].set_data(1000 * at / sample_rate, np.sin(2 * np.pi * seen * at))

    said = f"{frequency:,} turns a second under {sample_rate:,} flashes a second"
    _animate(figure, update, len(flash), 120, said, file)


def winding(waveform, sample_rate, frequencies, *, file=None):
    """Animation of a Fourier transform: a waveform wound round a circle, faster and faster.

    Above the waveform and where each winding begins; below it wound up, with its centre, and how
    far from the middle that centre has been at each speed of winding.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        waveform: float, shape (samples,), a few periods.
        sample_rate: Hz.
        frequencies: Hz, turns a second, one a picture.
        file: where to write the animation too, as a GIF; nowhere by default.
    """
    time = np.arange(len(waveform)) / sample_rate
    turned = np.exp(-2j * np.pi * np.outer(frequencies, time))
    centre = turned @ waveform / len(waveform)
    figure = plt.figure(figsize=(8, 5), dpi=80)
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 1.8], height_ratios=[1, 1.7])
    above = figure.add_subplot(grid[0, :])
    waveform_limit = 1.1 * np.abs(waveform).max()
    above.plot(1000 * time, waveform, color=_CURVES[0], linewidth=1)
    starts = above.vlines([], -waveform_limit, waveform_limit, color=_CURVES[2], ls="--", lw=1)
    above.set(
        xlabel="time (ms)",
        ylabel="amplitude\n(full scale = 1)",
        xlim=(0, 1000 * len(time) / sample_rate),
        ylim=(-waveform_limit, waveform_limit),
    )
    circle = figure.add_subplot(grid[1, 0])
    (wound,) = circle.plot([], [], color=_CURVES[0], linewidth=0.8)
    (middle,) = circle.plot([], [], "o-", color=_CURVES[1], linewidth=2.5, markersize=7)
    middle.set_markevery([1])
    circle.axhline(0, color="#BBBBBB", linewidth=0.8)
    circle.axvline(0, color="#BBBBBB", linewidth=0.8)
    circle.set(
        xlim=(-waveform_limit, waveform_limit),
        ylim=(-waveform_limit, waveform_limit),
        aspect="equal",
        xlabel="with the cosine\n(full scale = 1)",
        ylabel="against the sine\n(full scale = 1)",
    )
    right = figure.add_subplot(grid[1, 1])
    (trace,) = right.plot([], [], color=_CURVES[1], linewidth=1.8, marker="o", markevery=[-1])
    right.set(
        xlabel="turns a second (Hz)",
        ylabel="centre's distance\n(full scale = 1)",
        xlim=(frequencies[0], frequencies[-1]),
        ylim=(0, 1.15 * np.abs(centre).max()),
    )

    def update(step):
        rate = frequencies[step]
        begins = 1000 * np.arange(0, time[-1], 1 / rate)
        starts.set_segments([[(at, -waveform_limit), (at, waveform_limit)] for at in begins])
        above.set_title(f"Wound up {rate:.0f} times a second: a turn at each dashed line")
        curve = turned[step] * waveform
        wound.set_data(curve.real, curve.imag)
        middle.set_data([0, centre[step].real], [0, centre[step].imag])
        trace.set_data(frequencies[: step + 1], np.abs(centre[: step + 1]))

    said = f"a waveform wound up {frequencies[0]:.0f} to {frequencies[-1]:.0f} times a second"
    _animate(figure, update, len(frequencies), 130, said, file)


def moving_window(samples, levels, hop_seconds, frequencies, window_seconds, *, file=None):
    """Animation of an STFT: a window moves along a waveform and leaves one column after another.

    Taught in notebooks/02_spectrograms.ipynb.

    Args:
        samples: float, shape (samples,).
        levels: dB, shape (frames, bins); frame 0 is centred on sample 0.
        hop_seconds: between frames.
        frequencies: Hz, shape (bins,).
        window_seconds: length of the window.
        file: where to write the animation too, as a GIF; nowhere by default.
    """
    seconds = len(levels) * hop_seconds
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(8, 3.8), sharex=True, dpi=80)
    waveform_rate = len(samples) / (seconds - hop_seconds)
    waveform_title = "A window moves on by one hop, and each time leaves a column"
    waveform(samples, waveform_rate, title=waveform_title, ax=upper)
    upper.set_xlabel("")
    low = levels.max() - 60
    spectrogram(levels, hop_seconds, frequencies, vmin=low, vmax=levels.max(), ax=lower)
    image = lower.get_images()[0]
    span = upper.axvspan(0, window_seconds, color=_CURVES[1], alpha=0.4, linewidth=0)
    upper.set_xlim(0, seconds)
    pictures = 40

    def update(step):
        frame = min(round((step + 1) * len(levels) / pictures), len(levels)) - 1
        span.set_x(frame * hop_seconds - window_seconds / 2)
        seen = np.where(np.arange(len(levels))[:, None] <= frame, levels, low)
        image.set_data(seen.T)

    _animate(figure, update, pictures, 120, "a window moves along a waveform", file, colours=48)


def rolling_down(weights, losses, path, x, labels, *, file=None):
    """Animation of gradient descent: a dot rolls down the loss, and what its weight says turns.

    Left the curve of the loss over one weight; right the clips over their duration, and the
    probability that the weight makes of it, a sigmoid.

    Taught in notebooks/04_train_cnn.ipynb.

    Args:
        weights, losses: float, shape (points,): the curve, from the left to the right.
        path: weights where the descent stood, from its first place on.
        x: float, shape (clips,): the clips' durations, brought to mean 0 and deviation 1.
        labels: of the clips; the first in order is the class whose probability is drawn.
        file: where to write the animation too, as a GIF; nowhere by default.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), dpi=80)
    names = sorted(set(labels))
    left.plot(weights, losses, color="#999999")
    (trail,) = left.plot([], [], "-o", color=_CURVES[2], markersize=4, linewidth=1)
    (ball,) = left.plot([], [], "o", color=_CURVES[0], markersize=9)
    left.set(xlabel="weight (number)", ylabel="cross-entropy (nats)")
    jitter = np.random.default_rng(0).uniform(0, 0.06, len(x))
    for name, base, side in ((names[0], 1, 1), (names[-1], 0, -1)):
        mine = np.asarray(labels) == name
        height = base + side * (0.03 + jitter[mine])
        right.plot(x[mine], height, "o", color=colour(name), markersize=2.5, label=name)
    grid = np.linspace(np.min(x), np.max(x), 100)
    (curve,) = right.plot([], [], color=_CURVES[0], linewidth=2)
    right.set(
        xlabel="duration (deviations from the mean)",
        ylabel=f"probability of {names[0]}\n(0 to 1)",
        ylim=(-0.14, 1.14),
    )
    right.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    heights = np.interp(path, weights, losses)

    def update(step):
        trail.set_data(path[: step + 1], heights[: step + 1])
        ball.set_data(path[step : step + 1], heights[step : step + 1])
        curve.set_data(grid, 1 / (1 + np.exp(-path[step] * grid)))
        left.set_title(f"step {step}: loss {heights[step]:.2f}")
        right.set_title(f"what a weight of {path[step]:.2f} says")

    _animate(figure, update, len(path), 500, "a dot rolls down a loss", file, colours=64)


def _animate(figure, update, count, milliseconds, said, file, colours=None):
    """Show count pictures of a figure in turn: as an animated PNG, which every page plays."""
    import base64
    import io

    from IPython.display import display  # a Space has neither notebooks nor Pillow's animations
    from PIL import Image

    pictures = []
    for step in range(count):
        update(step)
        figure.canvas.draw()
        if not step:
            figure.set_layout_engine("none")  # or the frame would tremble
        pictures.append(Image.fromarray(np.asarray(figure.canvas.buffer_rgba()).copy()))
    plt.close(figure)
    pictures = [one.convert("RGB") for one in pictures]
    if colours is None:  # white, and each curve's colour from faint to full
        tints = [to_rgb(tint) for tint in (*_CURVES[:3], "#000000")]
        shades = [(1 - s * (1 - np.array(tint))) for tint in tints for s in (0.12, 0.35, 0.7, 1)]
        shades = np.round(255 * np.array([(1, 1, 1), *shades])).astype(int)
    else:
        shades = np.reshape(pictures[-1].quantize(colours - 1).getpalette(), (-1, 3))
        shades = shades[: colours - 1]
        shades = shades[shades.min(axis=1) < 250]  # or the background takes one that is near white
        shades = np.concatenate([[[255, 255, 255]], shades])
    palette = Image.new("P", (1, 1))
    palette.putpalette(shades.ravel().tolist())
    pictures = [one.quantize(palette=palette, dither=0) for one in pictures]
    same = len(shades)  # the number of an entry of its own, transparent: where nothing changes
    changes = [pictures[0].copy()]
    shades = np.concatenate([shades, [[255, 255, 255]]])
    for before, now in pairwise(np.asarray(picture) for picture in pictures):
        changes.append(Image.fromarray(np.where(now == before, same, now).astype(np.uint8), "P"))
    for picture in changes:
        picture.putpalette(shades.ravel().tolist())
        picture.info["transparency"] = same
    durations = [milliseconds] * (count - 1) + [1_500]  # a rest before it begins again
    look = {"save_all": True, "duration": durations, "loop": 0}
    if file:
        pictures[0].save(file, "GIF", append_images=pictures[1:], optimize=True, **look)
    look |= {"append_images": changes[1:], "blend": [0] + [1] * (count - 1), "transparency": same}
    held = io.BytesIO()
    changes[0].save(held, "PNG", optimize=True, **look)
    shown = {"image/png": base64.b64encode(held.getvalue()).decode(), "text/plain": said}
    display(shown, raw=True)
