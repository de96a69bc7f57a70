"""From which probability on is a sound neither? What each limit keeps, and what it keeps out."""

import ipywidgets
import numpy as np

from helpers import datasets, evaluation, plots
from helpers.widgets.panel import Panel, png, slider

_PETS, _OTHERS = "#009E73", plots.colour(datasets.OTHER)


class Trade(Panel):
    """Move the limit of "neither", and see who is turned away and who is let in.

    Taught in notebooks/09_elsewhere.ipynb.

    Args:
        predictions: DataFrame as from evaluation.predict, with the class "other".
        start: the limit to begin with, 0.02 to 0.98.

    Attributes:
        limit: FloatSlider.
        kept, out: shares of 1 at the limit: cats and dogs not turned away, others kept out.

    Raises:
        ValueError: there is no class "other" among the predictions, or nothing beside it.
    """

    def __init__(self, predictions, start=0.5):
        self._other = (predictions.label == datasets.OTHER).to_numpy()
        column = f"p_{datasets.OTHER}"
        if column not in predictions or self._other.all() or not self._other.any():
            raise ValueError("a trade needs clips and probabilities of 'other' and of the rest")
        self._share = predictions[column].to_numpy()
        steps = np.linspace(0.02, 0.98, 49).round(2)
        self.limit = slider("neither from", steps, start, ipywidgets.FloatSlider)
        super().__init__([[self.limit]], [self.limit], "Trade of neither: kept and kept out")

    def _shown(self):
        turned = self._share >= self.limit.value - 1e-9
        pets, others = ~self._other, self._other
        self.kept, self.out = float(1 - turned[pets].mean()), float(turned[others].mean())
        note = (
            f"Neither from {self.limit.value:.2f}: <b>{np.sum(turned & pets)} of {pets.sum()}</b> "
            f"cats and dogs are turned away, and <b>{np.sum(~turned & others)} of {others.sum()}"
            f"</b> other sounds are let in ({evaluation.percent(self.kept)} kept, "
            f"{evaluation.percent(self.out)} kept out)."
        )
        return note, png(self._draw, height=3.2), ""

    def _draw(self, figure):
        ax, edges = figure.subplots(), np.linspace(0, 1, 26)
        for which, colour, name in (
            (~self._other, _PETS, "cats and dogs"),
            (self._other, _OTHERS, "other sounds"),
        ):
            share = np.histogram(self._share[which], edges)[0] / which.sum()
            ax.stairs(100 * share, edges, color=colour, fill=True, alpha=0.45, label=name)
        ax.axvline(self.limit.value, color="#333333", linewidth=2)
        ax.set(xlim=(0, 1), xlabel="probability of neither (0 to 1)", ylabel="share (%)")
        ax.set_title("Left of the line let in, right of it turned away", fontsize=10)
        ax.legend(frameon=False, loc="upper right")
