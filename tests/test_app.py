"""The demo page: what it answers, what it refuses, and that nothing of an upload stays behind."""

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlparse

import gradio as gr
import httpx
import matplotlib.image
import numpy as np
import pandas as pd
import pitch_classifier
import pytest
import soundfile
import tones
import visitors
from gradio import processing_utils
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from lessons import ROOT
from matplotlib.colors import to_rgb
from matplotlib.legend import Legend

from helpers import audio, plots, predict
from helpers.demo import answers, page

FORMATS = [
    ("clip.wav", {}),
    ("clip 8 bits.wav", {"subtype": "PCM_U8", "rate": 8_000}),
    ("clip.WAV", {"subtype": "FLOAT", "rate": 48_000, "channels": 2}),
    ("clip.flac", {"rate": 44_100, "channels": 2}),
    ("clip.ogg", {"format": "OGG", "subtype": "VORBIS"}),
    ("clip opus.ogg", {"format": "OGG", "subtype": "OPUS", "rate": 48_000}),
    ("clip.mp3", {"rate": 44_100}),
]


def flac_of_unknown_length(path):
    """As streaming encoders write it: the number of samples in the header is 0."""
    tones.write(path)
    data = bytearray(path.read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    path.write_bytes(data)


REFUSED = {
    "letter.wav": (lambda p: p.write_text("a letter, not a sound"), "cannot be decoded"),
    "letter.txt": (lambda p: p.write_text("a letter"), "convert it to WAV, FLAC, OGG or MP3"),
    "clip.webm": (lambda p: p.write_bytes(b"\x1aE\xdf\xa3"), "convert it to WAV, FLAC, OGG or MP3"),
    "none.mp3": (lambda p: p.write_bytes(b""), "it holds no bytes"),
    "header only.wav": (lambda p: tones.write(p, seconds=0), "it holds no samples"),
    "long.ogg": (lambda p: tones.write(p, seconds=61, rate=8_000), "61 s long; cut it to 60 s"),
    "large.wav": (lambda p: tones.write(p, seconds=56, rate=96_000), "10.3 MB; give a file of up"),
    "wide.flac": (
        lambda p: soundfile.write(p, np.zeros((5_500_000, 5), np.int16), 192_000),
        "too many channels",
    ),
    "slow.wav": (lambda p: tones.write(p, rate=100), "a sample rate of 100 Hz"),
    "stream.flac": (flac_of_unknown_length, "does not tell its length"),
}


@pytest.fixture(scope="module")
def answerer():
    return answers.Answerer(pitch_classifier.classifier())


def text(markup):
    return re.sub(r"<[^>]+>", " ", markup).strip()


# ---- from a file to an answer


@pytest.mark.parametrize(("name", "options"), FORMATS, ids=[name for name, _ in FORMATS])
@pytest.mark.parametrize(("hertz", "label"), [(3_000, "cat"), (440, "dog")])
def test_every_format_is_answered_and_the_file_is_gone(
    answerer, tmp_path, name, options, hertz, label
):
    folder = tmp_path / ("0" * 64)  # as Gradio names it
    folder.mkdir()
    path = tones.write(folder / name, hertz, **options)
    verdict, shares, picture = answerer.answer(str(path))
    assert text(verdict).startswith(label.capitalize()) and "2.0 s of sound" in verdict
    assert shares[label] > 0.9 and sum(shares.values()) == pytest.approx(1)
    assert picture
    assert not folder.exists()


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_answered_is_said_and_deleted(answerer, tmp_path, name):
    make, say = REFUSED[name]
    make(tmp_path / name)
    verdict, shares, picture = answerer.answer(str(tmp_path / name))
    assert text(verdict).startswith("No answer") and say in verdict and name in verdict
    assert shares is None and picture == ""
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("name", ["long.ogg", "large.wav", "wide.flac"])
def test_too_much_is_refused_before_it_is_decoded(answerer, tmp_path, monkeypatch, name):
    REFUSED[name][0](tmp_path / name)
    monkeypatch.setattr(soundfile, "read", lambda *_, **__: pytest.fail("it was decoded"))
    assert text(answerer.answer(str(tmp_path / name))[0]).startswith("No answer")


@pytest.mark.parametrize("offset", [0.0, 0.3])  # a constant makes no sound either
def test_silence_is_unsure_and_says_so(answerer, tmp_path, offset):
    soundfile.write(tmp_path / "clip.wav", np.full(32_000, offset), tones.RATE)
    verdict, shares, picture = answerer.answer(str(tmp_path / "clip.wav"))
    assert text(verdict).startswith("Unsure") and "silence" in verdict
    assert set(shares) == {"cat", "dog"} and not picture


def test_a_file_of_the_training_is_told(tmp_path):
    path = tones.write(tmp_path / "mine.wav")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    answerer = answers.Answerer(pitch_classifier.classifier(files=[digest]))
    assert "trained on this very file" in answerer.answer(str(path))[0]
    tones.write(path)
    assert answerer.ask(str(path))["known"]
    tones.write(path, 441)
    assert "trained" not in answerer.answer(str(path))[0]


def test_a_files_name_is_no_markup(answerer, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.wav"
    path.write_text("no sound")
    assert "<img" not in answerer.answer(str(path))[0]


def test_no_file_asks_for_one(answerer):
    assert "Cat or dog?" in answerer.question
    assert answerer.answer(None) == (answerer.question, None, "")


def test_picture_and_player_are_within_the_answer(answerer):
    clip = tones.tone(880, 3.0)
    verdict, _, picture = answerer.show(clip)
    image = base64.b64decode(re.search("data:image/png;base64,([^']+)", picture)[1])
    assert matplotlib.image.imread(io.BytesIO(image)).std() > 0.05
    sound = base64.b64decode(re.search("data:audio/mpeg;base64,([^']+)", verdict)[1])
    heard, rate = soundfile.read(io.BytesIO(sound))
    assert abs(len(heard) / rate - 3) < 0.2
    assert abs(audio.level(heard[8_000:40_000]) - audio.level(clip)) < 0.5
    assert re.search("alt='[A-Z].*%", picture)
    assert not re.search("(src|href)='(?!data:)", picture + verdict)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("names", [["cat", "dog"], ["a bird of paradise", *"abcdefg"]])
def test_no_part_of_the_picture_is_cut_off(names, narrow):
    """The legend, the labels and the titles lie within it, with two classes and with eight."""
    names = [f"{name} {place}" for place, name in enumerate(names)]
    rng = np.random.default_rng(0)
    windows = pd.DataFrame(rng.dirichlet(np.ones(len(names)), 9), columns=names)
    windows = windows.assign(start=np.arange(9.0), weight=1.0, level=0.1).assign(
        end=np.arange(9.0) + 1.5
    )
    answer = SimpleNamespace(
        timeline=windows, seconds=10.5, probabilities=dict.fromkeys(names, 1 / len(names))
    )
    waveform = rng.normal(0, 0.1, 168_000).astype("float32")
    levels, hertz = rng.uniform(-70, 0, (656, 257)), np.linspace(0, 8000, 257)
    card = {"names": names, "other": None}
    figure = answers._drawn(waveform, levels, hertz, answer, card, narrow=narrow)
    figure.draw_without_rendering()
    assert len(figure.axes[2].get_legend().get_texts()) == len(names)
    width, height = figure.bbox.size
    for ax in figure.axes:
        parts = [ax.title, ax.xaxis.label, ax.yaxis.label, ax.get_legend()]
        parts += [*ax.get_xticklabels(), *ax.get_yticklabels()]
        for part in parts:
            if part is not None and (isinstance(part, Legend) or part.get_text()):
                left, bottom, right, top = part.get_window_extent().extents
                assert left >= 0 and bottom >= 0 and right <= width and top <= height, part


def test_the_examples_are_clips_and_one_is_silent():
    clips = answers.examples()
    assert len(clips) >= 3
    for clip in clips.values():
        assert clip.dtype == np.float32 and 1 < len(clip) / tones.RATE < 10
        assert np.abs(clip).max() <= 1
    assert [name for name, clip in clips.items() if not clip.any()] == ["Silence"]


def test_the_page_needs_no_tensorflow():
    heavy = "{'tensorflow', 'keras', 'librosa', 'sklearn'}"
    code = f"import sys; from helpers.demo import page, space; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


# ---- served


class Served:
    """The page at work: its address, the folder in which uploads land, and the model."""

    def __init__(self, address, folder, ear):
        self.address, self.folder, self.ear = address, folder, ear

    def ask(self, path):
        with contextlib.closing(self.client()) as client:
            return client.predict(handle_file(path), api_name="/predict")

    def client(self):
        return Client(self.address, verbose=False, analytics_enabled=False, download_files=False)

    def upload(self, path):
        return visitors.upload(self.address, path)

    def files(self):
        return [path for path in self.folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def served():
    model = pitch_classifier.classifier()
    with page.running(model) as address:
        yield Served(address, Path(os.environ["GRADIO_TEMP_DIR"]), model.run)


def test_it_listens_on_this_machine_alone(served):
    place = urlparse(served.address)
    assert place.hostname == "127.0.0.1"
    socket.create_connection(("127.0.0.1", place.port), 5).close()
    with pytest.raises(OSError):  # where a server on all addresses would answer
        socket.create_connection(("127.0.0.2", place.port), 5)


@pytest.mark.parametrize(("name", "options"), FORMATS, ids=[name for name, _ in FORMATS])
def test_a_program_gets_the_answer_as_data(served, tmp_path, name, options):
    got = served.ask(tones.write(tmp_path / name, 3_000, **options))
    assert got["label"] == got["best"] == "cat" and got["reason"] is None
    assert got["probabilities"]["cat"] > 0.9 and not got["known"]
    assert got["seconds"] == pytest.approx(2, abs=0.1)
    assert served.files() == []


@pytest.mark.parametrize("name", ["letter.wav", "long.ogg"])
def test_a_program_is_told_why_not(served, tmp_path, name):
    make, say = REFUSED[name]
    make(tmp_path / name)
    with pytest.raises(AppError, match=say):
        served.ask(tmp_path / name)
    assert served.files() == []


def test_too_large_a_file_is_not_even_taken(served, tmp_path):
    REFUSED["large.wav"][0](tmp_path / "large.wav")
    assert served.upload(tmp_path / "large.wav").status_code == 413
    assert served.files() == []


def test_nobody_can_fetch_an_upload(served, tmp_path):
    (path,) = served.upload(tones.write(tmp_path / "mine.wav")).json()
    assert Path(path).is_file()
    for way in ("gradio_api/file=", "file=", "gradio_api/file/", "gradio_api/proxy="):
        got = httpx.get(f"{served.address}{way}{path}", follow_redirects=True)
        assert got.status_code == 404 and b"RIFF" not in got.content
    mode = served.folder.stat().st_mode
    assert os.name == "nt" or mode & 0o077 == 0, "other users of this machine"
    Path(path).unlink()


def test_an_upload_can_be_asked_about_once(served, tmp_path):
    (path,) = served.upload(tones.write(tmp_path / "mine.wav")).json()
    assert '"label": "dog"' in visitors.call(served.address, path)
    assert not Path(path).exists()
    assert "event: error" in visitors.call(served.address, path)


def test_equal_uploads_at_one_time_all_get_their_answer(served, tmp_path):
    path = tones.write(tmp_path / "mine.wav")
    with ThreadPoolExecutor(4) as pool:
        there = [got.json()[0] for got in pool.map(served.upload, [path] * 4)]
        assert len(set(there)) == 4 and {Path(one).name for one in there} == {"mine.wav"}
        said = list(pool.map(partial(visitors.call, served.address), there))
    assert all('"label": "dog"' in text for text in said)
    assert list(served.folder.rglob("*.wav")) == []
    assert not any(Path(one).parent.exists() for one in there)


def test_files_of_the_machine_are_neither_read_nor_deleted(served, tmp_path):
    path = tones.write(tmp_path / "private.wav")
    got = visitors.call(served.address, path)
    assert "event: error" in got and "label" not in got
    assert path.is_file()


def test_addresses_are_not_fetched(served, monkeypatch):
    async def fetch(*given, **_):
        fetched.append(given)
        return str(tones.write(served.folder / "fetched.wav"))

    fetched = []
    monkeypatch.setattr(processing_utils, "async_ssrf_protected_download", fetch)
    there = "https://example.org/clip.wav"
    assert "event: error" in visitors.call(served.address, there)
    assert not fetched


def test_many_at_once_wait_for_one_another(served, tmp_path):
    paths = [
        tones.write(tmp_path / f"{i}.wav", hertz, 10.0) for i, hertz in enumerate([440, 3_000] * 3)
    ]
    served.ear.most = 0
    with ThreadPoolExecutor(len(paths)) as pool:
        labels = [got["label"] for got in pool.map(served.ask, paths)]
    assert labels == ["dog", "cat"] * 3
    assert served.ear.most == 1
    assert served.files() == []


def test_fifty_at_once_all_get_their_answer(tmp_path, monkeypatch):
    """Whoever comes while others are heard waits, and is not sent away."""
    paths = [tones.write(tmp_path / f"{i}.wav", 3_000) for i in range(25)]
    for i in range(25):
        (tmp_path / f"{i}.mp3").write_text(f"letter {i}, not a sound")
        paths.append(tmp_path / f"{i}.mp3")
    gate, asked = threading.Event(), []
    hear = answers.Answerer.ask

    def wait(answerer, path):
        gate.wait()
        return hear(answerer, path)

    monkeypatch.setattr(answers.Answerer, "ask", wait)
    with page.running(pitch_classifier.classifier()) as address:
        server = Served(address, Path(os.environ["GRADIO_TEMP_DIR"]), None)
        try:
            for path in paths:
                (there,) = server.upload(path).json()
                asked.append(visitors.asked(address, there))
        finally:
            gate.set()
        assert [one for one in asked if "event_id" not in one] == []
        said = [visitors.said(address, one) for one in asked]
        assert server.files() == []
    assert all('"label": "cat"' in text for text in said[:25])
    assert all("event: error" in text and "label" not in text for text in said[25:])


def test_slow_uploads_hold_nobody_up(tmp_path):
    """A byte now and then: they are still being sent when others have had their answer."""
    with page.running(pitch_classifier.classifier()) as address:
        server = Served(address, Path(os.environ["GRADIO_TEMP_DIR"]), None)
        with visitors.slow(address, 20) as drip:
            assert drip()
            for hertz, label in ((440, "dog"), (3_000, "cat")):
                (there,) = server.upload(tones.write(tmp_path / "mine.wav", hertz)).json()
                assert f'"label": "{label}"' in visitors.call(address, there)
                assert drip()
            assert len(server.files()) == 20


def test_programs_see_one_way_in_and_nobody_is_counted(served):
    with contextlib.closing(served.client()) as client:
        ways = client.view_api(return_format="dict", print_info=False)
    assert list(ways["named_endpoints"]) == ["/predict"] and not ways["unnamed_endpoints"]
    config = httpx.get(f"{served.address}config").json()
    assert config["analytics_enabled"] is False and config["run_history"] is False
    assert httpx.get(f"{served.address}monitoring/summary").status_code >= 400


def test_what_was_left_behind_goes_with_the_server(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with page.running(pitch_classifier.classifier()) as address:
        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        server = Served(address, folder, None)
        assert server.upload(tones.write(tmp_path / "mine.wav")).status_code == 200
        assert len(server.files()) == 1
    assert not folder.exists() and os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_an_upload_that_nobody_asks_about_is_swept_away(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "_SWEEP", (1, 1))
    with page.running(pitch_classifier.classifier()) as address:
        server = Served(address, Path(os.environ["GRADIO_TEMP_DIR"]), None)
        (path,) = server.upload(tones.write(tmp_path / "mine.wav")).json()
        deadline = time.monotonic() + 30
        while Path(path).exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not Path(path).exists()


def test_sweeping_goes_on_when_a_folder_vanishes_and_spares_what_waits(tmp_path, monkeypatch):
    scan = os.scandir

    def vanishing(path):
        if path != tmp_path and Path(path).name == "answered":
            with contextlib.suppress(OSError):
                os.rmdir(path)
        return scan(path)

    def old(name, seconds=3_000):
        path = tmp_path / name / "clip.wav"
        path.parent.mkdir()
        path.touch()
        os.utime(path, (time.time() - seconds,) * 2)
        return path

    def swept(*paths):
        deadline = time.monotonic() + 30
        while any(path.exists() for path in paths) and time.monotonic() < deadline:
            time.sleep(0.01)
        return not any(path.exists() for path in paths)

    monkeypatch.setattr(os, "scandir", vanishing)
    monkeypatch.setattr(page, "_SWEEP", (0.01, page._SWEEP[1]))
    for name in ("answered", "empty"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - 3_000,) * 2)
    waiting, stopped = old("waiting", 8 * page._WAITING), threading.Event()
    thread = threading.Thread(target=page._sweep, args=(tmp_path, stopped))
    thread.start()
    try:
        assert swept(tmp_path / "answered", tmp_path / "empty")
        assert swept(old("left"))
    finally:
        stopped.set()
        thread.join()
    assert waiting.exists()  # the last of all that may wait, where an answer takes 8 s


def test_an_upload_that_takes_too_long_is_given_up_and_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "_UPLOAD", 2)
    with page.running(pitch_classifier.classifier()) as address:
        server = Served(address, Path(os.environ["GRADIO_TEMP_DIR"]), None)
        deadline = time.monotonic() + 30
        with visitors.slow(address, 3) as drip:
            while drip() and time.monotonic() < deadline:
                time.sleep(0.1)
            assert not drip()  # it has closed the connection
            while server.files() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert server.files() == []
        (there,) = server.upload(tones.write(tmp_path / "mine.wav")).json()
        time.sleep(2.5)  # an upload that has come is not late
        assert '"label": "dog"' in visitors.call(address, there)


def test_an_upload_whose_sender_went_away_is_removed_without_a_traceback(capfd):
    with page.running(pitch_classifier.classifier()) as address:
        server = Served(address, Path(os.environ["GRADIO_TEMP_DIR"]), None)
        deadline = time.monotonic() + 30
        with visitors.slow(address, 3):
            while len(server.files()) < 3 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert len(server.files()) == 3
        while server.files() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert server.files() == []
    assert "Traceback" not in capfd.readouterr().err


# ---- the command


@pytest.mark.parametrize(
    ("arguments", "share", "host"),
    [
        ([], False, "127.0.0.1"),
        (["--share"], True, "127.0.0.1"),
        (["--host", "0.0.0.0", "--port", "8000"], False, "0.0.0.0"),
    ],
)
def test_only_who_asks_for_it_shares(monkeypatch, capsys, arguments, share, host):
    @contextlib.contextmanager
    def running(classifier, **options):
        given.update(options)
        yield "http://example"

    def stop(_):
        raise KeyboardInterrupt

    given = {}
    monkeypatch.setattr(page, "running", running)
    monkeypatch.setattr(page.threading.Event, "wait", stop)
    monkeypatch.setattr(page.signal, "signal", lambda *_: None)
    monkeypatch.setenv("GRADIO_SHARE", "True")
    page.main(arguments)
    assert (given["share"], given["host"]) == (share, host)
    assert "http://example" in capsys.readouterr().out


def test_the_command_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(page.signal, "signal", lambda *_: None)
    with pytest.raises(SystemExit, match="no such model"):
        page.main(["--model", str(tmp_path / "none.tflite")])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit, match=str(taken.getsockname()[1])):
            page.main(["--port", str(taken.getsockname()[1])])


def test_errors_for_programs_are_not_tracebacks(answerer, tmp_path, capsys):
    (tmp_path / "letter.wav").write_text("a letter")
    with pytest.raises(gr.Error, match="cannot be decoded") as caught:
        answerer.ask(str(tmp_path / "letter.wav"))
    assert caught.value.print_exception is False


def test_an_answer_as_data_is_json(answerer, tmp_path):
    got = answerer.ask(str(tones.write(tmp_path / "clip.wav")))
    assert json.loads(json.dumps(got))["label"] == "dog"


def heard(*names):
    """An answer whose windows are sure of these, one each 0.384 s, and a card for it."""
    start = 0.384 * np.arange(len(names))
    timeline = pd.DataFrame({"start": start, "end": start + 1.5})
    for name in ("cat", "dog", "neither"):
        timeline[name] = [0.9 if name == one else 0.05 for one in names]
    timeline["level"] = 0.1
    timeline["weight"] = [0.001 if name == "neither" else 1.0 for name in names]
    first = max(names, key=lambda name: (name != "neither", names.count(name)))
    answer = predict.Prediction(first, None, {"cat": 0.5, "dog": 0.4}, timeline, start[-1] + 1.5)
    card = {"names": ["cat", "dog", "neither"], "other": 2, "other_from": 0.5}
    return answer, card | {"temperature": 1.0}


@pytest.mark.parametrize(
    ("windows", "words"),
    [
        (["cat"] * 5, "Cat"),
        (["cat"] * 5 + ["dog"] * 4, "Cat, then dog from 2.7 s"),
        (["cat"] * 5 + ["neither"] * 5 + ["dog"] * 4, "Cat, then dog from 4.6 s"),
        (["cat"] * 5 + ["dog"] + ["cat"] * 3, "Cat"),  # one window alone
        (["neither"] * 5, "Neither"),
        (["dog", "dog", "cat", "cat"] * 2, "Dog, then cat from 1.5 s, then dog from 2.3 s ..."),
    ],
)
def test_a_clip_of_both_is_told_in_words(windows, words):
    assert answers._in_words(*heard(*windows)) == words


@pytest.mark.parametrize(("quieter", "words"), [(20, "Cat, then dog from 2.7 s"), (30, "Cat")])
def test_what_is_surest_does_not_hide_what_is_quieter(quieter, words):
    """Barks below the meows, whose odds against neither are a hundred times as high."""
    answer, card = heard(*["cat"] * 5, *["dog"] * 4)
    answer.timeline.loc[answer.timeline.cat > 0.5, "neither"] = 0.0005
    answer.timeline.loc[answer.timeline.dog > 0.5, "level"] = 0.1 * 10 ** (-quieter / 20)
    logits = np.log(answer.timeline[card["names"]].to_numpy())
    weight = audio.window_weights(logits, answer.timeline.level, card["other"])
    answer.timeline["weight"] = weight
    assert answers._in_words(answer, card) == words


@pytest.mark.parametrize("tint", [*plots._CLASS_COLOURS.values(), *plots._OTHERS])
@pytest.mark.parametrize(("ink", "page_colour"), [("black", "#FFFFFF"), ("white", "#27272A")])
def test_a_verdict_can_be_read_on_a_light_and_on_a_dark_page(tint, ink, page_colour):
    """Contrast of 4.5 to 1, as WCAG 2 asks of text."""

    def luminance(colour):
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in colour]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    share = page._INK[ink]
    mixed = (1 - share) * np.array(to_rgb(tint)) + share * np.array(to_rgb(ink))
    dark, light = sorted(map(luminance, (mixed, to_rgb(page_colour))))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert f"var(--tint), {ink} {share:.0%})" in page._CSS
