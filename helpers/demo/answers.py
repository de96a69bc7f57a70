"""What the demo page answers: from an uploaded file to a verdict, probabilities and a picture.

The file is deleted as soon as it is read, and every answer is text that holds its picture and its
sound, so that nothing of it lies on a server for anybody to ask for.
"""

import base64
import html
import io
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import gradio as gr
import numpy as np
import soundfile
from matplotlib import mlab
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from helpers import audio, files, plots
from helpers.audio import SAMPLE_RATE

MAX_BYTES = 10 * 2**20
MAX_SECONDS = 60
_NARROW = 600  # pixels, up to which a screen gets the narrow picture
_MAX_SAMPLES = 25_000_000  # over all channels, decoded: 100 MB
_EXAMPLES = files.ROOT / "examples"  # in the folder of a Space
_SURE = 0.7  # share of the better animal in a window that the verdict speaks of
_IN_A_ROW = 2  # windows
_MOST_PARTS = 3  # that the verdict names
_SHORT = 12  # letters of a verdict in the largest type
_SCORES = {  # the calls of the examples, with the seconds of silence before each
    "Cat": [(0.2, "meow"), (0.5, "meow"), (0.4, "mew")],
    "Dog": [(0.2, "bark"), (0.3, "bark"), (0.25, "bark"), (0.5, "bark"), (0.25, "bark")],
    "Both": [(0.2, "meow"), (0.4, "meow"), (0.7, "bark"), (0.3, "bark"), (0.3, "bark")],
    "Beeps": [(0.2, "beep"), (0.3, "beep"), (0.3, "beep")],
    "Silence": [(3.0, None)],
}


class _Layout(NamedTuple):
    """Where the parts of a picture lie.

    Attributes:
        size: width and height in inches, without what the legend takes below; at dpi.
        left, right: where the axes begin and end, in shares of the width; right at the most.
        rows: bottom and height of each of the three, in inches.
        label: where an axis' name stands, in shares of the axis' width.
        bar: the width of the colour bar, a share of the picture's.
        titles: of the first and the last row.
    """

    size: tuple
    dpi: int
    left: float
    right: float
    rows: tuple
    label: float
    bar: float
    titles: tuple


_WIDE = _Layout(
    size=(9, 5.8),
    dpi=125,
    left=0.115,
    right=0.88,
    rows=((4.41, 1.1), (2.55, 1.57), (0.52, 1.57)),
    label=-0.085,
    bar=0.014,
    titles=(
        "What was heard, in the colour of its moment",
        "What the model made of it: a mark per window, larger where it counts",
    ),
)
_HIGH = _Layout(
    size=(4.4, 6.4),
    dpi=150,
    left=0.25,
    right=0.81,
    rows=((5.12, 0.96), (3.2, 1.54), (1.02, 1.6)),
    label=-0.26,
    bar=0.02,
    titles=("What was heard", "A mark per window, larger where it counts"),
)


def examples(card=None):
    """Short clips to try the page with: a model's own, or synthetic calls of lesson 01.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        card: of a predict.Classifier, whose examples are taken; by default the synthetic calls.

    Returns:
        dict of name to waveform: float32, shape (samples,), 16 kHz. Empty where a card has none.

    Raises:
        audio.AudioError: an example that the card names cannot be read.
    """
    asked = card["examples"] if card else "voices"
    if asked != "voices":
        return {Path(path).stem: audio.load(path)[0] for path in asked}
    if _EXAMPLES.is_dir():
        return {path.stem: audio.load(path)[0] for path in sorted(_EXAMPLES.glob("*.flac"))}
    from helpers.datasets import voices  # a Space has the clips, and no need to make them

    clips = {}
    for name, score in _SCORES.items():
        parts, rng = [], np.random.default_rng(1)
        for pause, kind in score:
            parts.append(np.zeros(round(pause * SAMPLE_RATE), np.float32))
            if kind == "beep":
                parts.append(0.3 * np.sin(2 * np.pi * 1_000 * np.arange(4_000) / SAMPLE_RATE))
            elif kind:
                parts.append(0.5 * voices.call(kind, rng, size=0.5))
        clip = np.concatenate([*parts, np.zeros(SAMPLE_RATE // 5, np.float32)])
        noise = rng.standard_normal(len(clip)) if clip.any() else 0
        clips[name] = (clip + 0.002 * noise).astype(np.float32)
    return clips


class Answerer:
    """What happens between a file and the page.

    Args:
        classifier: predict.Classifier.

    Attributes:
        question: what the page asks before there is an answer: HTML.
    """

    def __init__(self, classifier):
        self.classifier = classifier
        self.question = _verdict(classifier.card["question"], "Upload or record a sound.")
        for name in classifier.card["names"]:  # the same colours whatever is heard first
            plots.colour(name)
        noise = 0.01 * np.random.default_rng(0).standard_normal(10 * SAMPLE_RATE, np.float32)
        self.show(noise)  # the first answer waits for nothing

    def ask(self, path):
        """Answer for a file and delete it, as data.

        Args:
            path: of the file that was uploaded.

        Returns:
            dict: label, best, probabilities, reason, seconds, and known, whether the model was
            trained on this very file.

        Raises:
            gr.Error: there is no such answer; the message says why.
        """
        try:
            waveform, known = self._take(path)
        except audio.AudioError as error:
            raise gr.Error(str(error), print_exception=False) from None
        answer = self.classifier.predict(waveform, SAMPLE_RATE)
        fields = ("label", "best", "probabilities", "reason", "seconds")
        return {name: getattr(answer, name) for name in fields} | {"known": known}

    def answer(self, path):
        """Answer for a file and delete it, as the parts of the page.

        Args:
            path: of the file that was uploaded, or None.

        Returns:
            verdict: HTML.
            probabilities: dict by class, or None where there is no answer.
            picture: HTML, with a player of what was heard; empty where there is no answer.
        """
        if not path:
            return self.question, None, ""
        try:
            return self.show(*self._take(path))
        except audio.AudioError as error:
            return _verdict("No answer", str(error)), None, ""

    def show(self, waveform, known=False):
        """Answer for a waveform; arguments and result as Classifier.predict at 16 kHz and answer.

        known says whether the model was trained on this very sound.
        """
        answer = self.classifier.predict(waveform, SAMPLE_RATE)
        reason = answer.reason or f"heard in {answer.seconds:.1f} s of sound"
        note = ""
        if known:
            note = "The model was trained on this very file: its answer proves nothing."
        title = _in_words(answer, self.classifier.card)
        verdict = _verdict(title, reason, note, answer.label, waveform)
        silent = self.classifier.is_silent(waveform)
        picture = "" if silent else _picture(waveform, answer, title, self.classifier.card)
        return verdict, answer.probabilities, picture

    def _take(self, path):
        """The waveform of an uploaded file, and whether the training had it; the file is gone.

        Raises:
            audio.AudioError: too large, too long, or not audio.
        """
        path = Path(path)
        try:
            _check_size(path)
            waveform, known = audio.load(path)[0], self.classifier.knows(path)
        finally:
            with suppress(OSError, ValueError):  # gone already, or a name that no file can have
                path.unlink()
            if len(path.parent.name) == 64:  # a checksum: the folder that Gradio made for it
                with suppress(OSError):
                    path.parent.rmdir()
        return waveform, known


def _in_words(answer, card):
    """The verdict in words: "Dog", or, where a clip holds several, "Cat, then dog from 2.9 s".

    Args:
        answer: predict.Prediction.
        card: of the classifier that gave it.
    """
    title = answer.label[:1].upper() + answer.label[1:]
    known = [name for k, name in enumerate(card["names"]) if k != card["other"]]
    if answer.label not in (*known, "unsure"):
        return title
    heard = _loud(answer.timeline)
    share = heard[known].div(heard[known].sum(axis=1).clip(1e-9), axis=0)
    sure = share.max(axis=1) >= _SURE
    if card["other"] is not None:
        sure &= heard[card["names"][card["other"]]] < card["other_from"]
    name, heard = share[sure].idxmax(axis=1), heard[sure]
    turn = name.ne(name.shift()).cumsum()
    long = turn.map(turn.value_counts()) >= _IN_A_ROW  # one window alone may be a slip
    name, heard = name[long], heard[long]
    parts = name.index[name.ne(name.shift())]
    if len(parts) < 2:
        return title
    middle = (heard.start + heard.end) / 2
    said = [name[parts[0]], *(f"then {name[at]} from {middle[at]:.1f} s" for at in parts[1:])]
    said = ", ".join(said[:_MOST_PARTS]) + (" ..." if len(said) > _MOST_PARTS else "")
    return said[:1].upper() + said[1:]


def _loud(timeline):
    """The windows that can be heard beside the loudest: those within 26 dB of it."""
    return timeline[(timeline.level >= timeline.level.max() / 20) & (timeline.level > 0)]


def _check_size(path):
    """Refuse what is too much before it is decoded; its header tells.

    Raises:
        audio.AudioError: says how much it is, and how much it may be.
    """
    if not os.path.isfile(path):  # asked about twice
        raise audio.AudioError(f"{path.name}: already heard and deleted; send it again")
    size = path.stat().st_size
    if size > MAX_BYTES:
        limit = f"{MAX_BYTES >> 20} MB"
        raise audio.AudioError(f"{path.name}: {size / 2**20:.1f} MB; give a file of up to {limit}")
    frames, rate, channels = audio.about(path)
    seconds = frames / max(rate, 1)
    if seconds > 1e6:  # some FLAC encoders leave the length out
        raise audio.AudioError(f"{path.name}: does not tell its length; save it as a WAV file")
    if seconds > MAX_SECONDS:
        raise audio.AudioError(
            f"{path.name}: {seconds:.0f} s long; cut it to {MAX_SECONDS} s or less"
        )
    if frames * channels > _MAX_SAMPLES:
        raise audio.AudioError(f"{path.name}: too many channels at too high a rate; mix it down")


def _verdict(title, reason, note="", label=None, waveform=None):
    """A headline in the colour of its class, a line below it and a player, as HTML."""
    tint = plots.colour(label) if label and label != "unsure" else ""
    note = f"<div class='note'>{html.escape(note)}</div>" if note else ""
    if title != (label or title)[:1].upper() + (label or title)[1:]:
        tint = ""  # it names several classes
    tint = (
        f" class='tint' style='--tint: {tint}'" if tint else ""
    )  # the page's style mends contrast
    size = "" if len(title) <= _SHORT else " style='font-size: 1.1rem'"
    return (
        f"<div class='verdict'{size}>"
        f"<b{tint}>{html.escape(title)}</b>"
        f"<small>{html.escape(reason)}</small>{note}{_player(waveform)}</div>"
    )


def _colour_moments(line, answer, card):
    """Paint each moment of a waveform by what the nearest window says that can be heard."""
    time, samples = line.get_data()
    heard = _loud(answer.timeline)
    middle = ((heard.start + heard.end) / 2).to_numpy()
    edges = np.searchsorted(time, [0, *(middle[1:] + middle[:-1]) / 2, np.inf])
    known = [name for k, name in enumerate(card["names"]) if k != card["other"]]
    names = heard[known].idxmax(axis=1)
    if card["other"] is not None:
        other = card["names"][card["other"]]
        names = names.where(heard[other] < card["other_from"], other)
    for name, start, end in zip(names, edges, edges[1:]):
        part = slice(start, end + 1)
        line.axes.plot(time[part], samples[part], color=plots.colour(name), linewidth=0.6)


def _player(waveform):
    """A player of what was heard, with the sound inside, as HTML."""
    if waveform is None:
        return ""
    sound = io.BytesIO()
    soundfile.write(sound, np.clip(waveform, -1, 1), SAMPLE_RATE, format="MP3")
    sound = base64.b64encode(sound.getvalue()).decode()
    return (
        f"<audio controls aria-label='what was heard' src='data:audio/mpeg;base64,{sound}'></audio>"
    )


def _picture(waveform, answer, title, card):
    """Waveform, spectrogram and timeline on one time axis, for either screen: HTML, all inside."""
    padded = audio.fit_length(waveform, max(len(waveform), 1024))
    power, hertz, _ = mlab.specgram(padded, NFFT=512, Fs=SAMPLE_RATE, noverlap=256)
    levels = 10 * np.log10(power.T / max(power.max(), 1e-12) + 1e-9)
    heard = waveform, levels, hertz, answer, card
    wide, narrow = (_png(_drawn(*heard, narrow=which)) for which in (False, True))
    shares = ", ".join(f"{name} {100 * p:.0f} %" for name, p in answer.foremost().items())
    said = html.escape(
        f"{title}: {shares}. Waveform, spectrogram, probabilities over time.", quote=True
    )
    return (
        "<picture class='picture'>"
        f"<source media='(max-width: {_NARROW}px)' srcset='data:image/png;base64,{narrow}'>"
        f"<img alt='{said}' src='data:image/png;base64,{wide}'></picture>"
    )


def _drawn(waveform, levels, hertz, answer, card, *, narrow):
    """The picture's figure; a narrow one is higher, with its legend below.

    A figure of its own, not pyplot's: answers are made in threads.
    """
    layout = _HIGH if narrow else _WIDE
    figure = Figure(layout.size, layout.dpi, layout="none")  # a layout that adapts takes longer
    upper, middle, lower = axes = figure.subplots(3, sharex=True)
    plots.waveform(waveform, title=layout.titles[0], ax=upper)
    _colour_moments(upper.lines[0], answer, card)
    plots.spectrogram(levels, 256 / SAMPLE_RATE, hertz, vmin=-70, vmax=0, ax=middle)
    plots.timeline(answer.timeline, title=layout.titles[1], ax=lower)
    lower.set_xlim(0, answer.seconds)
    longest = max(map(len, answer.probabilities))
    right, below = layout.right, 0.0
    if narrow:
        lower.title.set_fontsize("medium")
        lower.xaxis.set_major_locator(MaxNLocator(4))
        columns = max(1, min(3, 40 // (longest + 6)))
        below = 0.25 * (-(-len(lower.get_legend().get_texts()) // columns) - 1)  # for its rows
        place = {"loc": "upper left", "bbox_to_anchor": (-0.3, -0.27)}
        lower.legend(**place, ncols=columns, frameon=False, fontsize="small")
    else:  # the legend stands to the right
        right = max(0.6, right - 0.012 * max(0, longest - 3))
    total = layout.size[1] + below
    figure.set_figheight(total)
    for ax, (bottom, height) in zip(axes, layout.rows):
        box = layout.left, (bottom + below) / total, right - layout.left, height / total
        ax.set_position(box)
        ax.set_xlabel("time (s)" if ax is lower else "")
        ax.yaxis.set_label_coords(layout.label, 0.5)
    _, bottom, _, height = middle.get_position().bounds
    figure.axes[-1].set_position((right + 0.01, bottom, layout.bar, height))
    return figure


def _png(figure):
    """A figure as PNG in base64."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return base64.b64encode(picture.getvalue()).decode()
