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
