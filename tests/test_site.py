"""The book: built once, its links, its offline pages, and the model in one of them."""

import functools
import html
import importlib.util
import json
import re
import shutil
import threading
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
import soundfile
from browser import open_page
from lessons import ROOT, STEMS, read

from helpers import audio, predict
from helpers.datasets import voices

TOLERANCE = 1e-2
RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 16_000]


class Page(HTMLParser):
    """What a page leads to, loads, and can be led to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.loads, self.ids, self.details = [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "audio", "source", "iframe") and found.get("src"):
            self.loads.append(found["src"])
        if tag == "link" and found.get("rel") in ("stylesheet", "preload", "icon"):
            self.loads.append(found["href"])
        if tag == "details":
            self.details.append(found)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    for name in ("sphinx", "myst_nb", "sphinx_book_theme", "sphinx_copybutton"):
        if not importlib.util.find_spec(name):
            pytest.skip(f"no {name}: `make site` installs it")
    if not shutil.which("npm"):
        pytest.skip("no npm, which fetches what the pages run")
    import book

    folder = tmp_path_factory.mktemp("book")
    book.build(folder / "site", folder / "work")
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site):
    found = [path for path in sorted(site.rglob("*.html")) if "_static" not in path.parts]
    return {path: Page(path.read_text("utf-8")) for path in found}


@pytest.fixture(scope="module")
def address(site):
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    handler = functools.partial(quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_every_lesson_is_a_page(pages, site):
    assert {site / "notebooks" / f"{stem}.html" for stem in STEMS} <= set(pages)


def test_links_lead_somewhere(pages):
    missing = []
    for path, page in pages.items():
        for link in page.links + page.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                missing.append((path.name, link))
            wanted = unquote(parts.fragment)
            if wanted and target in pages and wanted not in pages[target].ids:
                missing.append((path.name, link))
    assert missing == []


def test_no_page_loads_from_another_server(pages):
    found = {(path.name, one[:80]) for path, page in pages.items() for one in page.loads}
    assert {one for one in found if re.match(r"(https?:)?//", one[1])} == set()


def test_every_plot_has_its_words(site):
    for stem in STEMS:
        page = html.unescape((site / "notebooks" / f"{stem}.html").read_text("utf-8"))
        for cell in read(ROOT / "notebooks" / f"{stem}.ipynb").code:
            if words := cell.metadata.get("alt"):
                assert f'alt="{words}"' in page


def test_solutions_are_folded(pages, site):
    for stem in STEMS:
        lesson = read(ROOT / "notebooks" / f"{stem}.ipynb")
        folded = sum(cell.source.count("<details") for cell in lesson.texts)
        details = [d for d in pages[site / "notebooks" / f"{stem}.html"].details]
        assert len(details) >= folded > 0
        assert not [one for one in details if "open" in one]


@pytest.mark.browser
@pytest.mark.parametrize("page", ["notebooks/01_waveforms.html", "notebooks/05_evaluate.html"])
def test_formulas_are_set_without_a_network(address, page):
    asked = []
    with open_page("about:blank") as tab:
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(f"{address}/{page}")
        tab.wait_for_selector("mjx-container mjx-math, mjx-container svg", timeout=60_000)
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []


def clips():
    """Ten synthetic clips, cats, dogs and what is neither, each at a sample rate of its own."""
    rng = np.random.default_rng(0)
    for i, rate in enumerate(RATES):
        kind = ["meow", "bark", "mew", None][i % 4]
        seconds = 0.6 + 0.5 * i
        clip = 0.01 * rng.standard_normal(round(seconds * audio.SAMPLE_RATE))
        if kind:
            call = voices.call(kind, rng, size=0.5)[: len(clip)]
            clip[: len(call)] += 0.5 * call
        yield kind, rate, audio.resample(clip.astype(np.float32), audio.SAMPLE_RATE, rate)


@pytest.mark.browser
def test_the_page_answers_as_python_does(address, tmp_path):
    classifier, asked = predict.Classifier.load(), []
    with open_page("about:blank") as tab:
        tab.on("request", lambda request: asked.append((request.method, request.url)))
        tab.goto(f"{address}/try.html")
        tab.wait_for_selector("#try[data-ready]", timeout=60_000)
        labels = set()
        for i, (_, rate, clip) in enumerate(clips()):
            path = tmp_path / f"{i}_{rate}.wav"
            soundfile.write(path, clip.clip(-1, 1), rate)
            tab.set_input_files("#try-file", str(path))
            tab.wait_for_function(
                f"/{path.name}|No answer/.test(document.querySelector('#try-verdict').textContent)"
                " && !/Listening/.test(document.querySelector('#try-verdict').textContent)",
                timeout=60_000,
            )
            verdict = tab.text_content("#try-verdict")
            assert "No answer" not in verdict, verdict
            found, wanted = json.loads(tab.text_content("#try-data")), classifier.predict(path)
            assert found["probabilities"] == pytest.approx(wanted.probabilities, abs=TOLERANCE)
            assert (found["label"], found["reason"]) == (wanted.label, wanted.reason)
            assert len(found["timeline"]) == len(wanted.timeline)
            labels.add(found["label"])
    assert len(labels) > 1
    assert {method for method, _ in asked} == {"GET"}
    assert [u for _, u in asked if not u.startswith((address, "data:", "blob:"))] == []
