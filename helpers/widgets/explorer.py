"""Browse a catalog: choose a clip by class, split, length and verdict; see it and play it."""

import html

import ipywidgets
import numpy as np
import pandas as pd

from helpers import audio, datasets, evaluation, plots, predict
from helpers.widgets.panel import Panel, button, drawable, menu, player, png


class Explorer(Panel):
    """Choose a clip by class, split, length and verdict; see waveform and spectrogram; play it.

    By keyboard: Tab leads from control to control and to the player; Enter or Space presses
    previous, next (which go round) and play; arrow keys move an end of the slider; Space opens a
    menu, in which arrow keys choose and Enter takes. (While a menu is closed JupyterLab keeps the
    arrow keys for its cells: ipywidgets issue 3912.)

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        clips: a catalog.
        predictions: DataFrame as from evaluation.predict, of all or some of these clips; without
            it nothing can be chosen by verdict.
        first: clip (index of the catalog) to show first; by default the first one.
        unsure_below, other_from: as cards.verdicts, whose rule gives the answer: a clip is "unsure"
            where that is, and only else "right" or "wrong".

    Raises:
        ValueError: there are no clips, or the predictions are of others.
    """

    def __init__(self, clips, predictions=None, first=None, unsure_below=0.6, other_from=0.5):
        if clips.empty:
            raise ValueError("the catalog holds no clips")
        self._clips = clips.join(_verdicts(clips, predictions, unsure_below, other_from))
        self.label = menu("class", ["all", *sorted(clips.label.unique())])
        self.split = menu("split", ["all", *sorted(clips.split.unique())])
        self.verdict = menu("verdict", ["all", "right", "wrong", "unsure"])
        self.clip = menu("clip", list(clips.index), clips.index[0] if first is None else first)
        self.clip.layout.width = "300px"  # as wide for every name, or next would move away
        low = np.floor(10 * clips.duration.min()) / 10
        high = max(np.ceil(10 * clips.duration.max()) / 10, low + 0.1)
        self.length = ipywidgets.FloatRangeSlider(
            value=(low, high),
            min=low,
            max=high,
            step=0.1,
            readout_format=".1f",
            continuous_update=False,  # one clip is drawn when it is let go, not one a movement
            description="length (s)",
            style={"description_width": "initial"},
        )
        self.previous = button("◀ previous", "Show the clip before", lambda _: self._step(-1))
        self.next = button("next ▶", "Show the clip after", lambda _: self._step(1))
        filters = [self.label, self.split, *[self.verdict] * (predictions is not None), self.length]
        for control in filters:
            control.observe(self._filter, "value")
        rows = [filters, [self.previous, self.clip, self.next]]
        super().__init__(rows, [self.clip], f"Explorer of {len(clips)} clips")

    def _filter(self, _=None):
        clips, (low, high) = self._clips, self.length.value
        chosen = clips.duration.between(low - 1e-6, high + 1e-6)
        for column in ("label", "split", "verdict"):
            value = getattr(self, column).value
            chosen &= (clips[column] == value) | (value == "all")
        shown, names = self.clip.value, list(clips.index[chosen])
        self._held = True
        self.clip.options = names
        if names:  # a list that was empty selects nothing by itself
            self.clip.value = shown if shown in names else names[0]
        self._held = False
        self._redraw()

    def _step(self, by):
        names = self.clip.options
        if names:
            self.clip.value = names[(names.index(self.clip.value) + by) % len(names)]

    def _shown(self):
        name = self.clip.value
        if name is None:
            return "No such clip.", b"", ""
        row, names = self._clips.loc[name], self.clip.options
        samples, rate = audio.load(row.path)
        said = (
            f"<b>{html.escape(str(name))}</b> ({names.index(name) + 1} of {len(names)}): "
            f"{html.escape(row.label)}, {row.split}, {row.duration:.1f} s, {row.sample_rate:,} Hz"
        )
        said += html.escape(f". The model: {row.said} ({row.verdict})") if row.said else ""
        return self._views(said, row, samples, rate)

    def _views(self, said, row, samples, rate):
        """Note, picture and sound of one clip."""
        picture = png(lambda f: plots.clip(drawable(samples), rate, label=row.label, figure=f))
        return said, picture, player(samples, rate)


def _verdicts(clips, predictions, unsure_below, other_from):
    """Columns verdict and said, what the model called the clip; empty where it was not asked."""
    if predictions is None:
        return pd.DataFrame({"verdict": "", "said": ""}, index=clips.index)
    if not predictions.index.isin(clips.index).any():
        raise ValueError("the predictions are of other clips: their index is to be the catalog's")
    from helpers import cards  # brings TensorFlow, which without predictions nobody needs

    said_so = {f"p_{said}": f"p_{datasets.OTHER}" for said in (predict.NEITHER, predict.NONE)}
    predictions = predictions.rename(columns=said_so)  # a card's names stand for the labels
    shares = predictions.filter(regex="^p_").rename(columns=lambda name: name.removeprefix("p_"))
    answer = cards.verdicts(predictions, unsure_below, other_from)
    likely = cards.verdicts(predictions, 0, other_from)  # also where it is unsure
    verdict = np.where(answer == predictions.label, "right", "wrong")
    verdict = np.where(answer == "unsure", "unsure", verdict)
    share = shares.to_numpy()[np.arange(len(shares)), shares.columns.get_indexer(likely)]
    names = dict(zip(shares, cards.answers(list(shares))))
    said = [f"{names[name]}, {evaluation.percent(p)}" for name, p in zip(likely, share)]
    table = pd.DataFrame({"verdict": verdict, "said": said}, index=predictions.index)
    return table.reindex(clips.index, fill_value="")
