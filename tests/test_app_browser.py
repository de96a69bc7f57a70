"""The demo page in a real browser: upload, record, choose, and read what it says.

With SCREENSHOTS=<folder> it also leaves there the README's moving picture of the page, app.gif.
"""

import io
import os
import re
from pathlib import Path

import matplotlib.image
import numpy as np
import pitch_classifier
import pytest
import soundfile
import tones
from browser import contrasts, open_page
from PIL import Image

from helpers import predict
from helpers.datasets import others
from helpers.demo import page

pytestmark = pytest.mark.browser
SCREENSHOTS = os.environ.get("SCREENSHOTS")
LOUDSPEAKER = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@pytest.fixture(scope="module")
def address():
    with page.running(pitch_classifier.classifier()) as address:
        yield address


def upload(page, path):
    """Give the page a file and wait for its answer: the verdict's words, the probabilities'."""
    before = page.inner_text(".verdict")
    page.set_input_files("input[type=file]", path)
    return answered(page, before)


def answered(page, before):
    page.wait_for_function(
        "before => document.querySelector('.verdict').innerText != before", arg=before
    )
    return page.inner_text(".verdict"), page.inner_text(".confidence-set >> nth=0")


def app_picture(address, clip, picture=None):
    """Upload a clip and take a picture of the answer.

    Args:
        address: of the page, as page.running gives it.
        clip: path of a sound file.
        picture: path of a PNG file to write, or None.

    Returns:
        the verdict's words, and the picture: float, shape (rows, columns, 4).
    """
    with open_page(address, size=(1060, 800)) as page:
        words, _ = upload(page, clip)
        page.wait_for_function("document.querySelector('.picture img').complete")
        page.mouse.move(0, 0)
        page.wait_for_timeout(500)  # the bars of the probabilities grow
        png = page.screenshot(full_page=True)
    if picture:
        picture.write_bytes(png)
    return words, matplotlib.image.imread(io.BytesIO(png))


def test_upload_and_see_the_label(address, tmp_path):
    words, pixels = app_picture(address, tones.write(tmp_path / "clip.mp3", 3_000))
    assert words.startswith("Cat") and "2.0 s" in words
    orange = np.abs(pixels[..., :3] - (0xD5 / 255, 0x5E / 255, 0)).max(axis=2) < 0.05
    assert orange.mean() > 0.005, "the verdict, the waveform and the timeline are a cat's"


def test_one_sound_after_another_without_reloading(address, tmp_path):
    asked = []
    with open_page("about:blank") as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        words, shares = upload(page, tones.write(tmp_path / "clip.wav"))
        assert words.startswith("Dog") and re.match(r"dog\s+97%", shares)
        live = page.inner_text("#verdict[role=status][aria-live]")  # who cannot see is told
        assert live.startswith("Dog")

        (tmp_path / "letter.wav").write_text("a letter")
        page.wait_for_selector("input[type=file]", state="attached")
        page.set_input_files("input[type=file]", tmp_path / "letter.wav")
        page.wait_for_function("document.querySelector('.verdict').innerText.includes('letter')")
        assert page.inner_text(".verdict").startswith("No answer")
        assert page.locator(".picture").count() == 0

        page.get_by_role("button", name="Silence").click()
        page.wait_for_function("document.querySelector('.verdict').innerText.includes('silence')")
        assert page.inner_text(".verdict").startswith("Unsure\nsilence")
        assert page.locator(".picture").count() == 0

        tones.write(tmp_path / "large.wav", seconds=60, rate=96_000)
        page.set_input_files("input[type=file]", tmp_path / "large.wav")
        page.wait_for_selector("text=exceed the maximum allowed size of 10.0 Mb")
    others = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert len(asked) > 5 and others == [], "no other machine learns of it"


def test_what_the_browser_records_is_understood(address, tmp_path):
    """Chromium plays a file into its own microphone, over and over."""
    soundfile.write(tmp_path / "played.wav", tones.tone(3_000, 10.0, rate=48_000), 48_000)
    microphone = (*LOUDSPEAKER, f"--use-file-for-fake-audio-capture={tmp_path / 'played.wav'}")
    with open_page(address, arguments=microphone, permissions=["microphone"]) as page:
        page.get_by_label("Record audio").click()
        page.locator("button.record-button").click()
        page.wait_for_timeout(2_000)
        before = page.inner_text(".verdict")
        with page.expect_response("**/upload*") as response:
            page.locator("button.stop-button").click()
        assert response.value.json()[0].endswith("/audio.wav"), "not the browser's own format"
        words, _ = answered(page, before)
    assert words.startswith("Cat")
    assert 1 < float(re.search(r"([\d.]+) s of sound", words)[1]) < 10


def test_the_shipped_model_answers_the_examples_on_the_page():
    """Each button says what it is of; the answer agrees, and follows the one before."""
    expected = {"Cat": "Cat", "Dog": "Dog", "Both": "Cat|Dog", "Beeps": "Neither"}
    with (
        page.running(predict.Classifier.load()) as address,
        open_page(address, size=(1060, 1180)) as tab,
    ):
        tab.get_by_role("button", name="Beeps").wait_for()
        seen = []
        for name, verdict in expected.items():
            before = tab.inner_text(".verdict")
            tab.get_by_role("button", name=name, exact=True).click()
            words, _ = answered(tab, before)
            assert re.match(verdict, words), f"{name}: {words}"
            tab.wait_for_function("document.querySelector('.picture img').complete")
            tab.mouse.move(0, 0)
            tab.wait_for_timeout(700)  # the bars of the probabilities grow
            seen.append(tab.screenshot())
    if SCREENSHOTS:
        first, *others = frames(seen)
        target, options = Path(SCREENSHOTS) / "app.gif", {"loop": 0, "optimize": True}
        first.save(target, save_all=True, append_images=others, duration=2_000, **options)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read(address, theme):
    """4.5 to 1 or more: empty, with an answer, under the mouse, and while it records."""
    options = {"arguments": LOUDSPEAKER, "permissions": ["microphone"]}
    with open_page(f"{address}?__theme={theme}", **options) as tab:
        tab.get_by_role("button", name="Beeps", exact=True).wait_for()
        seen = contrasts(tab)
        before = tab.inner_text(".verdict")
        tab.get_by_role("button", name="Beeps", exact=True).click()
        answered(tab, before)
        tab.wait_for_timeout(500)  # a button changes its colour slowly
        seen += contrasts(tab)
        if SCREENSHOTS:
            tab.screenshot(path=Path(SCREENSHOTS) / f"page_{theme}.png", full_page=True)
        tab.get_by_label("Record audio").click()
        tab.locator("button.record-button").click()
        tab.locator("button.stop-button").wait_for()
        tab.wait_for_timeout(500)
        seen += contrasts(tab)
    texts = [text for text, _ in seen]
    assert texts.count("Calibrated probabilities") == 3, "a label's badge"
    assert "- or -" in texts and "Beeps" in texts and "0:00" in texts
    assert {text: ratio for text, ratio in seen if ratio < 4.5} == {}


def test_on_a_narrow_screen_what_is_no_animal_is_turned_away(tmp_path):
    """A voice, rain, a bowed string and silence; the page itself never moves sideways."""
    rng, time = np.random.default_rng(0), np.arange(3 * 16_000) / 16_000
    bowed = 440 * time + 0.8 * np.sin(2 * np.pi * 5.5 * time)  # with a vibrato
    sounds = {
        "voice": others.sound("speech", rng, seconds=2.0),  # of other lengths: the words differ
        "rain": others.sound("rain", rng, seconds=2.5),
        "violin": sum(0.2 / k * np.sin(2 * np.pi * k * bowed) for k in range(1, 12)),
        "silence": 0 * time,
    }
    with (
        page.running(predict.Classifier.load()) as address,
        open_page(address, size=(390, 844)) as tab,
    ):
        for name, sound in sounds.items():
            soundfile.write(tmp_path / f"{name}.wav", sound, 16_000)
            tab.wait_for_selector("input[type=file]", state="attached")
            words, _ = upload(tab, tmp_path / f"{name}.wav")
            assert words.startswith("Neither"), f"{name}: {words}"
            assert tab.evaluate("document.documentElement.scrollWidth") <= 390
            if name != "silence":  # the narrow picture, whole
                wide, high, shown = tab.evaluate(
                    "(i => [i.naturalWidth, i.naturalHeight, i.getBoundingClientRect().width])"
                    "(document.querySelector('.picture img'))"
                )
                assert wide < high and 250 < shown < 390
            if SCREENSHOTS:
                tab.wait_for_timeout(700)
                tab.screenshot(path=Path(SCREENSHOTS) / f"narrow_{name}.png", full_page=True)


def frames(pngs):
    """Pictures of the page as the README's frames: smaller, and all in the same colours."""
    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png in pngs]
    size = 800, round(800 * pictures[0].height / pictures[0].width)
    pictures = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]
    palette = Image.fromarray(np.concatenate(pictures)).quantize(256)
    return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
