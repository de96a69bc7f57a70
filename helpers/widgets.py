"""Players and interactive views, each with a still picture and a plain player to fall back on."""

import base64
import html
import io

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import soundfile
from IPython.display import display

from helpers import audio, plots


def players(rows):
    """Show several sound players, one below the other.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        rows: list of (label, samples, sample rate in Hz); samples are float, shape (n,), and are
            played at their own level. Rates below 8 kHz are resampled: browsers refuse them.
    """
    cells = "".join(
        f"<tr><td style='text-align:left'>{html.escape(label)}</td><td>{_tag(*sound)}</td></tr>"
        for label, *sound in rows
    )
    text = "Players, to be heard in Jupyter or Colab: " + "; ".join(
        f"{label or 'sound'} ({len(samples) / rate:.1f} s)" for label, samples, rate in rows
    )
    data = {"text/html": f"<table>{cells}</table>", "text/plain": text}
    display(data, raw=True)


class Explorer(ipywidgets.VBox):
    """Choose class, split and clip; see waveform and log-mel spectrogram; play it.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        clips: a catalog.
        first: clip (index of the catalog) to show first; by default the first one.
    """

    def __init__(self, clips, first=None):
        self._clips = clips
        box = {"style": {"description_width": "initial"}, "layout": {"width": "auto"}}
        self.label = ipywidgets.Dropdown(
            options=["all", *sorted(clips.label.unique())], description="class", **box
        )
        self.split = ipywidgets.Dropdown(
            options=["all", *sorted(clips.split.unique())], description="split", **box
        )
        self.clip = ipywidgets.Dropdown(description="clip", **box)
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "800px"})
        self.sound = ipywidgets.HTML()
        self.note = ipywidgets.HTML()
        self._filter()
        if first is not None:
            self.clip.value = first
            self._show()
        self.label.observe(self._filter, "value")
        self.split.observe(self._filter, "value")
        self.clip.observe(self._show, "value")
        choices = ipywidgets.HBox([self.label, self.split, self.clip])
        super().__init__([choices, self.note, self.picture, self.sound])

    def _filter(self, _=None):
        chosen = self._clips
        for column in ("label", "split"):
            value = getattr(self, column).value
            chosen = chosen if value == "all" else chosen[chosen[column] == value]
        self._filtering = True  # draw once, not for every step of the change
        self.clip.options = list(chosen.index)
        if not chosen.empty:
            self.clip.value = chosen.index[0]  # a list that was empty selects nothing by itself
        self._filtering = False
        self._show()

    def _show(self, _=None):
        """Redraw for the clip chosen; one that cannot be read is said, never raised."""
        if self._filtering:
            return
        name = self.clip.value
        if name is None:
            self.note.value, self.picture.value, self.sound.value = "No such clip.", b"", ""
            return
        row = self._clips.loc[name]
        try:
            samples, rate = audio.load(row.path)
        except audio.AudioError as error:
            self.note.value = html.escape(str(error))
            self.picture.value, self.sound.value = b"", ""
            return
        self.note.value = (
            f"<b>{html.escape(name)}</b>: {html.escape(row.label)}, {row.split}, "
            f"{row.duration:.1f} s, {row.sample_rate:,} Hz"
        )
        self.picture.value = _png(samples, rate, row.label)
        self.sound.value = _tag(samples, rate)

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        picture = base64.b64encode(self.picture.value).decode()
        bundle["text/html"] = (
            f"<p>{self.note.value}</p><img src='data:image/png;base64,{picture}' "
            f"alt='waveform and spectrogram'><br>{self.sound.value}"
        )
        bundle["text/plain"] = f"Explorer of {len(self._clips)} clips"
        return bundle


def _png(samples, rate, label):
    plots.clip(samples, rate, label=label)
    buffer = io.BytesIO()
    plt.savefig(buffer, format="png", dpi=80)
    plt.close()
    return buffer.getvalue()


def _tag(samples, rate):
    """An audio element that holds its sound: MP3, a tenth of the size of WAV."""
    if rate < 8000:
        samples, rate = audio.resample(samples, rate, 16_000), 16_000
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), rate, format="MP3", compression_level=0.3)
    sound = base64.b64encode(buffer.getvalue()).decode()
    return f"<audio controls preload='none' src='data:audio/mpeg;base64,{sound}'></audio>"
