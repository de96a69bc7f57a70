"""Players and interactive views, each with a still picture and a plain player to fall back on."""

import base64
import html
import io

import ipywidgets
import numpy as np
import pandas as pd
import soundfile
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from helpers import audio, evaluation, features, plots


def players(rows):
    """Show several sound players, one below the other.

    Taught in notebooks/01_waveforms.ipynb.

    Args:
        rows: list of (label, samples, sample rate in Hz); samples are float, shape (n,), and are
            played at their own level. Rates below 8 kHz are resampled: browsers refuse them.
    """
    text = "Players, to be heard in Jupyter or Colab: " + "; ".join(
        f"{label or 'sound'} ({len(samples) / rate:.1f} s)" for label, samples, rate in rows
    )
    display({"text/html": _table(rows), "text/plain": text}, raw=True)


class _Panel(ipywidgets.VBox):
    """Controls above a note, a picture and players; where widgets cannot run, all but the controls.

    A subclass makes its controls, calls this and gives `_shown`; each change of a watched control
    shows its result. What it raises is said in the note, for a callback's error is seen by nobody.

    Attributes:
        note, sound: ipywidgets.HTML.
        picture: ipywidgets.Image, PNG.
    """

    def __init__(self, rows, watched, text):
        self._text, self._held = text, False
        self.note, self.sound = ipywidgets.HTML(), ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        wrap = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 12px"}
        rows = [ipywidgets.HBox(row, layout=wrap) for row in rows]
        for control in watched:
            control.observe(self._redraw, "value")
        self._redraw()
        # as wide as the picture asks for: a box across the page would shrink it to its own height
        super().__init__([*rows, self.note, self.picture, self.sound],
                         layout={"align_items": "flex-start"})  # fmt: skip

    def _shown(self):
        """What the controls ask for: note (HTML), picture (PNG or b""), sound (HTML)."""
        raise NotImplementedError

    def _still(self):
        """The same where no control works."""
        return self.note.value, self.picture.value, self.sound.value

    def _redraw(self, _=None):
        if self._held:  # a change of several steps draws once, at its end
            return
        try:
            shown = self._shown()
        except Exception as error:
            said = str(error).strip() or type(error).__name__
            shown = html.escape(said.splitlines()[0]), b"", ""
        self.note.value, self.picture.value, self.sound.value = shown
        self.picture.layout.display = None if shown[1] else "none"  # no sign of a broken picture

    def _repr_mimebundle_(self, **options):
        note, picture, sound = self._still()
        page = {"text/plain": self._text}
        if picture:  # once more by itself, for those who show no pictures within HTML
            page["image/png"] = base64.b64encode(picture).decode()
            source = f"data:image/png;base64,{page['image/png']}"
            sound = f"<img src='{source}' alt='{html.escape(self._text)}'><br>{sound}"
        page["text/html"] = f"<p>{note}</p>{sound}"
        return super()._repr_mimebundle_(**options) | page


class Explorer(_Panel):
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
        unsure_below: the model is "unsure" of a clip whose largest probability is below this, and
            only else "right" or "wrong".

    Raises:
        ValueError: there are no clips, or the predictions are of others.
    """

    def __init__(self, clips, predictions=None, first=None, unsure_below=0.6):
        if clips.empty:
            raise ValueError("the catalog holds no clips")
        self._clips = clips.join(_verdicts(clips, predictions, unsure_below))
        self.label = _menu("class", ["all", *sorted(clips.label.unique())])
        self.split = _menu("split", ["all", *sorted(clips.split.unique())])
        self.verdict = _menu("verdict", ["all", "right", "wrong", "unsure"])
        self.clip = _menu("clip", list(clips.index), clips.index[0] if first is None else first)
        low = np.floor(10 * clips.duration.min()) / 10
        high = max(np.ceil(10 * clips.duration.max()) / 10, low + 0.1)
        self.length = ipywidgets.FloatRangeSlider(
            value=(low, high), min=low, max=high, step=0.1, readout_format=".1f",
            description="length (s)", style={"description_width": "initial"},
        )  # fmt: skip
        self.previous = _button("◀ previous", "Show the clip before", lambda _: self._step(-1))
        self.next = _button("next ▶", "Show the clip after", lambda _: self._step(1))
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
        picture = _png(lambda f: plots.clip(_drawable(samples), rate, label=row.label, figure=f))
        return said, picture, _tag(samples, rate)


def _verdicts(clips, predictions, unsure_below):
    """Columns verdict and said, what the model called the clip; empty where it was not asked."""
    if predictions is None:
        return pd.DataFrame({"verdict": "", "said": ""}, index=clips.index)
    if not predictions.index.isin(clips.index).any():
        raise ValueError("the predictions are of other clips: their index is to be the catalog's")
    best = predictions.filter(regex="^p_").max(axis=1)
    verdict = np.where(predictions.correct, "right", "wrong")
    verdict = np.where(best < unsure_below, "unsure", verdict)
    said = predictions.predicted + ", " + best.map(evaluation.percent)
    table = pd.DataFrame({"verdict": verdict, "said": said}, index=predictions.index)
    return table.reindex(clips.index, fill_value="")


# ---- what all panels share


def _menu(name, options, value=None):
    value = options[0] if value is None else value
    return ipywidgets.Dropdown(
        options=options, value=value, description=name,
        style={"description_width": "initial"}, layout={"width": "auto"},
    )  # fmt: skip


def _slider(name, options, value, kind=ipywidgets.SelectionSlider):
    """A slider along some options, or (kind) along the numbers from the first to the last."""
    choice = {"options": options}
    if kind is not ipywidgets.SelectionSlider:
        choice = {"min": options[0], "max": options[-1], "step": options[1] - options[0]}
    look = {"style": {"description_width": "initial"}, "layout": {"width": "320px"}}
    return kind(value=value, description=name, **choice, **look)


def _button(name, tooltip, pressed):
    button = ipywidgets.Button(description=name, tooltip=tooltip, layout={"width": "auto"})
    button.on_click(pressed)
    return button


def _png(draw, height=4.2):
    """What draw(figure) draws, as PNG; without pyplot's layout engine it takes half the time."""
    figure = Figure(figsize=(8, height), dpi=90, layout="none")
    bottom, top = 0.5 / height, 1 - 0.3 / height  # half an inch for the axis, less for a title
    figure.subplots_adjust(left=0.14, right=0.985, bottom=bottom, top=top, hspace=0.15)
    draw(figure)
    for ax in figure.axes:  # a colour bar narrows its picture: what shares its time axis follows
        place = ax.get_position()
        right = min(a.get_position().x1 for a in ax.get_shared_x_axes().get_siblings(ax))
        if right < place.x1:
            ax.set_position([place.x0, place.y0, right - place.x0, place.height])
    canvas, buffer = FigureCanvasAgg(figure), io.BytesIO()
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    # 256 colours look the same, and are a quarter of the bytes to send and to commit
    picture = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    picture.putpalette([255 if value > 250 else value for value in picture.getpalette()])
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _drawable(samples):
    """Samples enough for one frame: a shorter sound is padded."""
    return audio.fit_length(samples, max(len(samples), features.FRAME_LENGTH))


def _table(rows):
    """Players as HTML, one below the other; rows as for players."""
    cells = "".join(
        f"<tr><td style='text-align:left'>{html.escape(label)}</td><td>{_tag(*sound)}</td></tr>"
        for label, *sound in rows
    )
    return f"<table>{cells}</table>"


def _tag(samples, rate):
    """An audio element that holds its sound: MP3, a tenth of the size of WAV."""
    if rate < 8000 or rate % 1:
        samples, rate = audio.resample(samples, rate, 16_000), 16_000
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), int(rate), format="MP3", compression_level=0.3)
    sound = base64.b64encode(buffer.getvalue()).decode()
    return f"<audio controls preload='none' src='data:audio/mpeg;base64,{sound}'></audio>"
