"""Players and interactive views, each with a still picture and a plain player to fall back on."""

import base64
import html
import io

import ipywidgets
import numpy as np
import soundfile
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from helpers import audio, features, plots

_COLUMNS = 5  # of small pictures in a sheet
_VIEW = "application/vnd.jupyter.widget-view+json"


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
    display({"text/html": player_table(rows), "text/plain": text}, raw=True)


class Panel(ipywidgets.VBox):
    """Controls above a note, a picture and players; where widgets cannot run, all but the controls.

    A subclass makes its controls, calls this and gives `_shown`; each change of a watched control
    shows its result. What it raises is said in the note, for a callback's error is seen by nobody.

    Attributes:
        note, sound: ipywidgets.HTML.
        picture: ipywidgets.Image, PNG.
    """

    ORDER = "controls", "note", "picture", "sound"  # from above; a subclass may have another

    def __init__(self, rows, watched, text):
        self._text, self._held = text, False
        # as high as two lines: a note that grows would move the picture under a slider's drag
        self.note = ipywidgets.HTML(layout={"min_height": "3.4em"})
        self.sound = ipywidgets.HTML()
        self.picture = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        wrap = {"flex_flow": "row wrap", "align_items": "center", "grid_gap": "0 12px"}
        rows = [ipywidgets.HBox(row, layout=wrap) for row in rows]
        for control in watched:
            control.observe(self._redraw, "value")
        self._redraw()
        # as wide as the picture asks for: a box across the page would shrink it to its own height
        parts = {"note": [self.note], "picture": [self.picture], "sound": [self.sound]}
        parts["controls"] = rows
        shown = [part for name in self.ORDER for part in parts[name]]
        super().__init__(shown, layout={"align_items": "flex-start"})
        alive = ipywidgets.HTML(f"<style>.still-{self.model_id} {{display: none}}</style>")
        alive.layout.display = "none"  # a style works where it is not seen
        self.children = (*self.children, alive)

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

    def _ipython_display_(self, **_):
        """First the still, then the widget, whose style hides the still for as long as it lives.

        Opened later, without the kernel that made it, a widget is only "model not found" in
        JupyterLab, whatever else the same output holds: so the still is an output of its own.
        """
        display(self._repr_mimebundle_(), raw=True)
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        display({_VIEW: view}, raw=True)  # ipywidgets 7, Colab's, has no mimebundle to ask for

    def _repr_mimebundle_(self, **_):
        """The still alone, for all that shows no widgets."""
        note, picture, sound = self._still()
        page = {"text/plain": self._text}
        if picture:  # once more by itself, for those who show no pictures within HTML
            page["image/png"] = base64.b64encode(picture).decode()
            source = f"data:image/png;base64,{page['image/png']}"
            sound = f"<img src='{source}' alt='{html.escape(self._text)}'><br>{sound}"
        page["text/html"] = (
            f"<div class='still-{self.model_id}'><p>{note}</p>"
            f"<p><em>Run this cell for the controls.</em></p>{sound}</div>{_lost(self.model_id)}"
        )
        return page


def _lost(model):
    """Style that hides what JupyterLab says below a still in place of its lost widget."""
    output = ".jp-OutputArea-child"
    return (
        f"<style>{output}:has(.still-{model}) + {output} > .jupyter-widgets:not(:has(*))"
        " {display: none}</style>"
    )


class Lab(Panel):
    """A panel about one of some sounds, which its first menu chooses.

    Attributes:
        name: Dropdown of the sounds' names.
    """

    def __init__(self, sounds, rows, watched, text):
        self._sounds = sounds
        self.name = menu("sound", list(sounds))
        super().__init__([[self.name], *rows], [self.name, *watched], text)

    def _samples(self, name=None):
        """The sound chosen, or that of another name: float32, shape (samples,).

        Raises:
            ValueError: it is empty, or not finite.
        """
        name = self.name.value if name is None else name
        samples = np.asarray(self._sounds[name], np.float32)
        if samples.ndim != 1 or not samples.size or not np.isfinite(samples).all():
            raise ValueError(f"{name}: empty, not finite or not of one channel: no sound")
        return samples


def menu(name, options, value=None):
    value = options[0] if value is None else value
    return ipywidgets.Dropdown(
        options=options,
        value=value,
        description=name,
        style={"description_width": "initial"},
        layout={"width": "auto"},
    )


def slider(name, options, value, kind=ipywidgets.SelectionSlider):
    """A slider along some options, or (kind) along the numbers from the first to the last."""
    choice = {"options": options}
    if kind is not ipywidgets.SelectionSlider:
        choice = {"min": options[0], "max": options[-1], "step": options[1] - options[0]}
    look = {"style": {"description_width": "90px"}, "layout": {"width": "340px"}}
    return kind(value=value, description=name, **choice, **look)


def button(name, tooltip, pressed):
    button = ipywidgets.Button(description=name, tooltip=tooltip, layout={"width": "auto"})
    button.on_click(pressed)
    return button


def png(draw, height=4.2):
    """What draw(figure) draws, as PNG; without pyplot's layout engine it takes half the time."""
    figure = Figure(figsize=(8, height), dpi=90, layout="none")
    bottom, top = 0.55 / height, 1 - 0.3 / height  # inches for the axis, less for a title
    figure.subplots_adjust(left=0.14, right=0.98, bottom=bottom, top=top, hspace=0.15)
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


def sheet(sounds):
    """Small spectrograms as one PNG, named and numbered as their players: rows as for players."""
    lines = max(1, -(-len(sounds) // _COLUMNS))

    def draw(figure):
        figure.subplots_adjust(wspace=0.25, hspace=0.7)
        for k, (name, samples, rate) in enumerate(sounds):
            ax = figure.add_subplot(lines, _COLUMNS, k + 1)
            plots.log_mel(drawable(samples), rate, title=name, ax=ax)
            figure.axes[-1].remove()  # ten colour bars would leave no room for the pictures
            ax.set(xlabel="time (s)" if k >= len(sounds) - _COLUMNS else "")
            if k % _COLUMNS:
                ax.set(ylabel="", yticklabels=[])

    return png(draw, 1.5 * lines + 1)


def drawable(samples):
    """Samples enough for one frame: a shorter sound is padded."""
    return audio.fit_length(samples, max(len(samples), features.FRAME_LENGTH))


def player_table(rows):
    """Players as HTML, one below the other; rows as for players."""
    cells = "".join(
        f"<tr style='background:none'><td style='text-align:left'>{html.escape(label)}"
        f"<br><small>{_seconds(*sound)}</small></td><td>{player(*sound)}</td></tr>"
        for label, *sound in rows
    )
    return f"<table>{cells}</table>"


def _seconds(samples, rate):
    """How long a sound lasts, in words: players show whole seconds, and 0:00 for less than one."""
    seconds = len(samples) / rate
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"


def player(samples, rate):
    """An audio element that holds its sound: MP3, a tenth of the size of WAV."""
    if rate < 8000 or rate % 1:
        samples, rate = audio.resample(samples, rate, 16_000), 16_000
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), int(rate), format="MP3", compression_level=0.3)
    sound = base64.b64encode(buffer.getvalue()).decode()
    return f"<audio controls preload='metadata' src='data:audio/mpeg;base64,{sound}'></audio>"
