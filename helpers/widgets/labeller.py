"""Hear clips that nobody has labelled, and say what they are."""

import html

import pandas as pd

from helpers import audio, plots
from helpers.widgets.panel import Panel, button, drawable, player, player_table, png, sheet


class Labeller(Panel):
    """One clip after another: play it, look at it, press what it is.

    By keyboard: Tab leads to the player and to the labels, Enter or Space presses one.

    Taught in notebooks/09_elsewhere.ipynb.

    Args:
        clips: a catalog; its labels are not looked at.
        names: the labels to choose from.

    Attributes:
        votes: dict of label to the Button that gives it; back: Button, to the clip before.
        labels: pandas.Series of the labels given so far, by the catalog's index.

    Raises:
        ValueError: the catalog is empty.
    """

    def __init__(self, clips, names=("cat", "dog", "other")):
        if clips.empty:
            raise ValueError("the catalog holds no clips")
        self._clips, self._at = clips, 0
        self.labels = pd.Series(index=clips.index[:0], dtype=object, name="label")
        self.votes = {
            name: button(name, f"This is: {name}", lambda _, name=name: self._give(name))
            for name in names
        }
        self.back = button("◀ back", "Go back to the clip before", self._back)
        rows = [[*self.votes.values(), self.back]]
        super().__init__(rows, [], f"{len(clips)} clips to be labelled: {' or '.join(names)}")

    def _give(self, name):
        if self._at < len(self._clips):
            self.labels.loc[self._clips.index[self._at]] = name
            self._at += 1
            self._redraw()

    def _back(self, _):
        self._at = max(0, self._at - 1)
        self._redraw()

    def _shown(self):
        over = self._at == len(self._clips)
        for vote in self.votes.values():
            vote.disabled = over
        self.back.disabled = self._at == 0
        if over:
            return f"All {len(self._clips)} have a label. Thank you.", b"", ""
        index = self._clips.index[self._at]
        given = self.labels.get(index)
        said = f" You said {html.escape(given)}." if given else ""
        note = f"Clip {self._at + 1} of {len(self._clips)}: what is it?{said}"
        try:
            samples, rate = audio.load(self._clips.path.loc[index])
        except audio.AudioError as error:
            return f"{note}<br>{html.escape(str(error))}", b"", ""
        picture = png(lambda figure: plots.clip(drawable(samples), rate, figure=figure))
        return note, picture, player(samples, rate)

    def _still(self):
        """All that can be read, to be heard."""
        sounds = []
        for number, path in enumerate(self._clips.path, 1):
            try:
                sounds.append((f"clip {number}", *audio.load(path)))
            except audio.AudioError:
                continue
        note = f"{len(self._clips)} clips: what are they?"
        return note, sheet(sounds), player_table(sounds)
