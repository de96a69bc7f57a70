"""JupyterLab in a real browser: lesson 01 from the menu, then its explorer by hand.

With SCREENSHOTS=<folder> it also leaves there the README's picture of the explorer, jupyterlab.png.
"""

import base64
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import browser
import lessons
import numpy as np
import pytest
import run_all
import soundfile
from lessons import ROOT
from nbformat import write
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image
from scipy import signal

from helpers import audio

pytestmark = pytest.mark.browser

STEM = "01_waveforms"
SCREENSHOTS = os.environ.get("SCREENSHOTS")
SIZE = (1300, 900)  # pixels
PICTURED = "cats_dogs/train/cat/cat_41.wav"  # three clean meows
SECONDS = 900  # as long as it may take on a busy machine, so that a test ends at all
# Nothing that would ask the network, or lay a question over the notebook.
SETTINGS = {"notification": {"fetchNews": "false", "checkForUpdates": False}}
STARTED = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    .some(p => /^\\[(\\*|\\d+)\\]:$/.test(p.textContent.trim()))"""
BEGUN = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    .some(p => /^\\[\\d+\\]:$/.test(p.textContent.trim()))"""
FINISHED = """(cells) => {
    const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
    const ran = prompts.filter(p => /^\\[\\d+\\]:$/.test(p.textContent.trim())).length;
    return ran === cells || document.querySelector('[data-mime-type$="jupyter.error"]') !== null;
}"""
# The manager has looked for the widget, and has not found it.
LOST = "() => /model not found/.test(document.querySelector('.jp-Notebook').textContent)"
# What the reader sees, from the browser's own decoder.
DECODE = """async (image) => {
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/png');
}"""


@contextmanager
def jupyterlab(folder, notebook=None):
    """A server of its own, whatever this user has configured; gives its address and its token.

    It serves a copy of the lesson without outputs, so that what is seen is what it made; or
    another notebook under the same name.
    """
    work, runtime = folder / "work", folder / "runtime"
    shutil.copytree(ROOT / "notebooks" / "images", work / "images")
    lesson = lessons.read(ROOT / "notebooks" / f"{STEM}.ipynb")
    for cell in lesson.code:
        cell.outputs, cell.execution_count = [], None
    write(notebook or lesson.notebook, work / f"{STEM}.ipynb")
    for name, values in SETTINGS.items():
        file = folder / "settings" / "@jupyterlab" / "apputils-extension"
        file.mkdir(parents=True, exist_ok=True)
        (file / f"{name}.jupyterlab-settings").write_text(json.dumps(values), encoding="utf-8")
    with mock.patch.dict(os.environ):
        run_all.use_this_python(folder / "kernel")
        env = dict(os.environ)
    env = {k: v for k, v in env.items() if k not in ("JUPYTER_CONFIG_PATH", "JUPYTER_TOKEN")}
    env |= {
        "HOME": str(folder),
        "USERPROFILE": str(folder),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "share"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "COURSE_RUNS": str(folder / "runs"),
        "DATASET": "synthetic",
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ServerApp.port={port}", f"--ServerApp.root_dir={work}"]
    said = folder / "server.log"
    with said.open("wb") as log:
        server = subprocess.Popen(
            command, cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            end = time.monotonic() + SECONDS
            while not (files := list(runtime.glob("jpserver-*.json"))):
                text = said.read_text("utf-8", errors="replace")
                assert server.poll() is None and time.monotonic() < end, text
                time.sleep(0.2)
            facts = json.loads(files[0].read_text(encoding="utf-8"))
            yield facts["url"], facts["token"]
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def run_all_cells(page, cells):
    """Run > Run All Cells, and wait until every cell has its number or one has failed."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    def accept(question):  # on a busy machine a kernel may be late, and JupyterLab asks
        asked.append(question.inner_text())
        question.locator(".jp-mod-accept").last.click()

    asked = []
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    page.on("dialog", lambda dialog: dialog.accept())  # leave the page, changed or not
    page.add_locator_handler(page.locator(".jp-Dialog").first, accept)
    idle.wait_for()
    for _ in range(5):  # a busy page may miss the click, and a question shuts the menu
        try:
            for item in "Run", "Run All Cells":
                page.get_by_role("menuitem", name=item, exact=True).click(timeout=60_000)
            page.wait_for_function(STARTED, timeout=60_000)
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
            continue
        try:
            page.wait_for_function(BEGUN, timeout=120_000)
            break
        except PlaywrightTimeout:  # the kernel never got the message: begin anew
            page.reload()
            idle.wait_for()
    try:
        page.wait_for_function(FINISHED, arg=cells)
    except PlaywrightTimeout:
        prompts = page.locator(".jp-CodeCell .jp-InputPrompt").all_text_contents()
        pytest.fail(f"after {SECONDS} s the {cells} code cells are at {prompts}; asked: {asked}")
    errors = page.locator("[data-mime-type$='jupyter.error']")
    assert errors.count() == 0, errors.first.inner_text()


def menu_of_clips(page):
    """The explorer's output, which alone has menus of splits and of clips, and the latter."""
    split, clip = (
        page.locator("label.widget-label", has_text=re.compile(f"^{name}$"))
        for name in ("split", "clip")
    )
    area = page.locator(".jp-OutputArea-output", has=split).filter(has=clip)
    area.scroll_into_view_if_needed()
    return area, area.locator(".widget-dropdown", has=clip).locator("select")


def seen(area):
    """The pixels of the explorer's picture: shape (height, width, 3)."""
    address = area.locator("img.widget-image").evaluate(DECODE)
    return np.asarray(Image.open(io.BytesIO(decoded(address))).convert("RGB")).astype(int)


def heard(area):
    """The samples in the explorer's player, and their rate."""
    return soundfile.read(io.BytesIO(decoded(area.locator("audio").first.get_attribute("src"))))


def decoded(address):
    assert address.startswith("data:") and ";base64," in address[:50]
    return base64.b64decode(address.split(",", 1)[1])


def choose(page, area, menu, name):
    """Choose a clip and wait for its player, the last thing that the explorer changes."""
    before = area.locator("audio").first.get_attribute("src")
    menu.select_option(label=name)
    changed = "([area, before]) => area.querySelector('audio')?.getAttribute('src') !== before"
    page.wait_for_function(changed, arg=[area.element_handle(), before])


def likeness(sound, path):
    """From 0 to 1: how like the file the sound is, however much the codec shifted it."""
    samples, rate = sound
    wanted, _ = audio.load(path, sample_rate=rate)
    scale = np.linalg.norm(samples) * np.linalg.norm(wanted)
    return np.abs(signal.correlate(samples, wanted)).max() / scale


def test_lesson_01_from_the_menu_and_its_explorer(tmp_path, synthetic):
    if browser.executable() is None:
        pytest.skip("no Chromium here: nothing can drive JupyterLab")
    code = lessons.read(ROOT / "notebooks" / f"{STEM}.ipynb").code
    cells = sum("jupyter" not in cell.metadata for cell in code)  # a folded one shows no number
    # Simple mode and twice the pixels for the picture; what a reader gets for the test.
    mode, more = ("doc", {"device_scale_factor": 2}) if SCREENSHOTS else ("lab", {})
    with jupyterlab(tmp_path) as (url, token):
        address = f"{url}{mode}/tree/{STEM}.ipynb?token={token}"
        with browser.open_page("about:blank", size=SIZE, **more) as page:
            page.set_default_timeout(1000 * SECONDS)
            page.goto(address)
            run_all_cells(page, cells)
            area, menu = menu_of_clips(page)
            names = menu.locator("option").all_text_contents()
            first = menu.locator("option:checked").text_content()  # drawn or not
            other = next(name for name in names if synthetic.label[name] != synthetic.label[first])
            picture, sound = seen(area), heard(area)
            assert names == list(synthetic.index)
            assert likeness(sound, synthetic.path[first]) > 0.9

            choose(page, area, menu, other)
            picture_of_other, sound_of_other = seen(area), heard(area)
            assert picture_of_other.shape == picture.shape
            changed = (np.abs(picture_of_other - picture).max(axis=-1) > 32).mean()
            assert changed > 0.02, f"only {changed:.1%} of the pixels changed"
            assert likeness(sound_of_other, synthetic.path[other]) > 0.9
            assert likeness(sound_of_other, synthetic.path[first]) < 0.5

            choose(page, area, menu, first)
            assert np.array_equal(seen(area), picture)
            assert np.array_equal(heard(area)[0], sound[0])
            if SCREENSHOTS:
                choose(page, area, menu, PICTURED)
                photograph(page, area, Path(SCREENSHOTS) / "jupyterlab.png")


def test_a_widget_leaves_its_still_when_the_notebook_is_reopened(tmp_path, synthetic):
    """Run, save, restart, reopen: no "model not found", but a picture and a player."""
    if browser.executable() is None:
        pytest.skip("no Chromium here: nothing can drive JupyterLab")
    source = "from helpers import datasets, widgets\nwidgets.Explorer(datasets.load(quiet=True))"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = new_notebook(cells=[new_code_cell(source)], metadata={"kernelspec": kernel})
    with (
        jupyterlab(tmp_path, book) as (url, token),
        browser.open_page("about:blank", size=SIZE) as page,
    ):
        page.set_default_timeout(1000 * SECONDS)
        page.goto(f"{url}lab/tree/{STEM}.ipynb?token={token}")
        run_all_cells(page, 1)
        menu_of_clips(page)[0].locator("img.widget-image").wait_for()
        still = page.locator("[class^=still-]")
        assert still.count() == 1 and not still.is_visible()
        page.keyboard.press("Control+s")
        saved = tmp_path / "work" / f"{STEM}.ipynb"
        page.wait_for_timeout(500)
        page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
        assert "still-" in saved.read_text(encoding="utf-8")
        kernels = f"{url}api/kernels"
        headers = {"Authorization": f"token {token}"}
        for running in page.request.get(kernels, headers=headers).json():
            page.request.post(f"{kernels}/{running['id']}/restart", headers=headers)
        page.reload()
        still = page.locator("[class^=still-]")
        still.locator("img").wait_for(state="visible")
        page.wait_for_function(LOST, polling=200)
        assert still.locator("img").evaluate("image => image.naturalWidth") > 300
        assert still.locator("audio").is_visible()
        lost = page.get_by_text("model not found")
        assert not any(line.is_visible() for line in lost.all())


def photograph(page, area, path):
    """The window, 1,300 pixels wide, from the text above the explorer on."""
    area.locator("audio").first.evaluate(
        "audio => { audio.preload = 'metadata'; audio.load(); }"  # so that it shows its length
    )
    area.evaluate(
        "area => area.closest('.jp-Cell').previousElementSibling.scrollIntoView({block: 'start'})"
    )
    page.mouse.move(5, 500)
    page.wait_for_timeout(1000)  # scrolling, and what a hovering mouse had lit
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.resize(SIZE, Image.Resampling.LANCZOS).quantize(256).save(path, optimize=True)
