"""A real browser for the tests: Chromium, wherever it is, driven by Playwright."""

import os
import shutil
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)

# Each text that is seen, with the contrast (WCAG 2) of its colour against what lies behind it.
_CONTRASTS = """() => {
  const pen = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = color => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].map(value => value / 255);
  };
  const over = (top, below) => below.map((value, i) => top[3] * top[i] + (1 - top[3]) * value);
  const behind = element => {
    if (!element) return [1, 1, 1];
    return over(rgba(getComputedStyle(element).backgroundColor), behind(element.parentElement));
  };
  const luminance = color => color
    .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (texts.nextNode()) {
    const text = texts.currentNode.textContent.trim(), element = texts.currentNode.parentElement;
    const {width, height} = element.getBoundingClientRect();
    const shown = element.checkVisibility({opacityProperty: true, visibilityProperty: true});
    if (!text || !shown || width < 2 || height < 2) continue;
    const below = behind(element), ink = over(rgba(getComputedStyle(element).color), below);
    const [dark, bright] = [luminance(ink), luminance(below)].sort((a, b) => a - b);
    found.push([text, (bright + 0.05) / (dark + 0.05)]);
  }
  return found;
}"""


def contrasts(page):
    """Pairs of each text on a page and its contrast, from 1 to 21; pictures do not count."""
    return page.evaluate(_CONTRASTS)


def executable():
    """Path of the browser: what CHROMIUM names, or the first one on the path; None if none."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def open_page(address, *, size=(1280, 1000), arguments=(), **context):
    """A page of a new browser, closed at the end; skips the test where there is no browser.

    Args:
        address: to open.
        size: of the window, in pixels.
        arguments: more of them for Chromium's command line.
        context: for Playwright's new_context, such as permissions.
    """
    path = executable()
    if path is None:
        pytest.skip(f"no browser: install one of {', '.join(NAMES)}, or let CHROMIUM name it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*QUIET, *arguments])
        width, height = size
        page = browser.new_page(viewport={"width": width, "height": height}, **context)
        try:
            page.goto(address)
            yield page
        finally:
            browser.close()
