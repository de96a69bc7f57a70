"""The demo page: upload or record a sound; see what the model calls it, how surely, and where.

`python -m helpers.demo` serves it to this machine alone; --share makes a public link.
"""

import argparse
import asyncio
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial, wraps
from pathlib import Path

import gradio as gr
from gradio import route_utils
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from helpers import predict
from helpers.audio import SAMPLE_RATE
from helpers.demo import answers
from helpers.demo.answers import MAX_BYTES, MAX_SECONDS

_WAITING = 200  # in the queue: none is swept away before its turn if an answer takes up to 9 s
_INK = {"black": 0.35, "white": 0.6}  # mixed into a class's colour, on a light and a dark page
_BARS = 8  # of the probabilities, the largest first
_SWEEP = 60, 1800  # seconds: every minute, what has lain for thirty goes: nobody asked about it
_UPLOAD = 120  # seconds that one may take: it holds a connection and a file
_CSS = f"""
.verdict .tint {{color: color-mix(in srgb, var(--tint), black {_INK["black"]:.0%})}}
.dark .verdict .tint {{color: color-mix(in srgb, var(--tint), white {_INK["white"]:.0%})}}
"""
_CSS += """
.gradio-container {max-width: 1020px !important; margin: auto}
.verdict {text-align: center; padding: 0.6rem 0}
.verdict b {display: block; font-size: 1.2em; line-height: 1.3}
.verdict {font-size: 1.6rem}
.verdict audio {width: 100%; margin-top: 0.6rem}
.verdict small {font-size: 0.95rem}
.verdict .note {margin-top: 0.5rem; padding: 0.4rem; border: 1px solid #E69F00; border-radius: 6px;
  font-size: 0.95rem}
.picture img {width: 100%; background: white; border-radius: 6px}
body:not(.dark) .gradio-container {
  --block-label-text-color: #0f766e; --block-title-text-color: #0f766e; --color-accent: #0f766e;
  --primary-500: #0f766e;
}
body:not(.dark) .gradio-container :is(.or, .time, .duration) {color: #4b5563}
.dark .gradio-container {
  --block-label-background-fill: #0f766e; --block-title-background-fill: #0f766e;
  --button-secondary-background-fill-hover: #0f766e;
}
button[aria-label='Record audio'] {
  color: #0f766e; width: auto; display: inline-flex; gap: 0.5rem; align-items: center;
  min-height: 44px; padding: 0 0.8rem; border: 1px solid currentColor; border-radius: 22px;
}
[data-testid='source-select'] {height: auto; padding: 0.3rem 0}
.dark button[aria-label='Record audio'] {color: #5eead4}
button[aria-label='Record audio'] svg {width: 1.6rem; height: 1.6rem}
button[aria-label='Record audio']::after {
  content: "Record a sound"; font-weight: 600; white-space: nowrap;
}
.confidence-set {--stat-background-fill: #6b7280}
footer {display: none !important}
"""
_LIVE = """() => {
  const verdict = document.getElementById("verdict");
  verdict.setAttribute("role", "status");
  verdict.setAttribute("aria-live", "polite");
}"""


def _build(classifier, one):
    """The page as gradio.Blocks, not served yet; `one` is the executor that listens."""
    answerer = answers.Answerer(classifier)

    def heard(function):
        """In one and the same thread: each that ever listens keeps some megabytes."""

        @wraps(function)
        def wait(*given):
            return one.submit(function, *given).result()

        return wait

    one_by_one = {"concurrency_limit": 1, "concurrency_id": "model"}
    hidden = one_by_one | {"api_visibility": "private", "show_progress": "minimal"}
    card = classifier.card
    with gr.Blocks(title=card["title"], analytics_enabled=False) as page:
        gr.Markdown(
            f"# {card['title']}\n{card['question']} Ask a small network that has heard such sounds."
            f"\n\n{card['about']} Your sound is deleted once it is heard; nothing is kept."
        )
        with gr.Row():
            with gr.Column():
                # 16 kHz is what the model hears; a recording arrives as WAV, made in the browser
                clip = gr.Audio(
                    sources=["upload", "microphone"],
                    type="filepath",
                    editable=False,
                    label=f"WAV, FLAC, OGG or MP3, up to {MAX_SECONDS} s and {MAX_BYTES >> 20} MB",
                    waveform_options=gr.WaveformOptions(sample_rate=SAMPLE_RATE),
                )
                clip.async_move_resource_to_block_cache = _no_links(clip)
                sounds = answers.examples(card)
                voices = card["examples"] == "voices"
                whose = "a synthetic sound of the course's own" if voices else "an example"
                gr.Markdown(f"Or {whose}:", visible=bool(sounds))
                with gr.Row():
                    buttons = {
                        gr.Button(name, size="sm", min_width=60): sound
                        for name, sound in sounds.items()
                    }
            with gr.Column():
                verdict = gr.HTML(answerer.question, elem_id="verdict")
                shares = gr.Label(
                    label="Calibrated probabilities", show_heading=False, num_top_classes=_BARS
                )
        picture = gr.HTML()
        parts = [verdict, shares, picture]
        gr.on(
            [clip.upload, clip.stop_recording],
            heard(lambda path: (*answerer.answer(path), None)),
            clip,
            [*parts, clip],
            **hidden,
        )
        for button, sound in buttons.items():
            button.click(heard(partial(answerer.show, sound)), None, parts, **hidden)
        # programs ask here: the answer as data
        gr.Button(visible=False).click(
            heard(answerer.ask), clip, gr.JSON(visible=False), api_name="predict", **one_by_one
        )
        # the part that stays is the live region: who does not see the page is told when it changes
        page.load(js=_LIVE)
    return page.queue(max_size=_WAITING)


class _NoFiles:
    """Refuses every address by which Gradio hands out files: an answer is all that leaves.

    And a visitor who goes away in the middle of an upload is no error of the server's.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        ways = ("/file=", "/file/", "/stream/", "/proxy=", "/deep_link")
        if scope["type"] == "http" and any(way in scope["path"] for way in ways):
            return await PlainTextResponse("no files here", 404)(scope, receive, send)
        if scope["type"] == "http" and scope["path"].endswith("/upload"):
            receive, send = _in_time(receive, send)
        with suppress(ClientDisconnect):
            return await self.app(scope, receive, send)


def _in_time(receive, send):
    """An upload's receive and send: an error ends what takes too long or whose sender went away.

    It is the kind of error after which Gradio removes what has come. Of senders who merely went
    away it would keep the file.
    """
    end, whole = time.monotonic() + _UPLOAD, False

    async def received():
        nonlocal whole
        if whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), end - time.monotonic())
        except TimeoutError:
            raise MultiPartException(f"this upload took longer than {_UPLOAD} s") from None
        if message["type"] == "http.disconnect":
            raise MultiPartException("the sender of this upload went away")
        whole = not message.get("more_body")
        return message

    async def sent(message):
        if message["type"] == "http.response.start" and not whole and time.monotonic() >= end:
            message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
        await send(message)

    return received, sent


class _Upload(route_utils.GradioUploadFile):
    """In a folder of its own, which nobody can guess: Gradio names it by the content's hash.

    Equal files at one time would be one, and whoever is answered first deletes it.
    """

    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        self.sha.update(secrets.token_bytes())


def _no_links(component):
    """Gradio would fetch what a program names by its address, of any size, and read it."""
    move = component.async_move_resource_to_block_cache

    async def moved(path):
        if path and "://" in str(path):
            raise gr.Error("Send the file itself, not its address.", print_exception=False)
        return await move(path)

    return moved


def _sweep(folder, stopped):
    """Remove old files and empty folders again and again: nobody has asked about them.

    Args:
        folder: in which all uploads lie.
        stopped: threading.Event that ends it.
    """
    every, age = _SWEEP
    while not stopped.wait(every):
        # a folder that goes while they are listed is no error to os.walk, as it is to Path.rglob
        for root, _, names in os.walk(folder, topdown=False):
            for path in (*(Path(root, name) for name in names), Path(root)):
                with suppress(OSError):  # answered and deleted meanwhile, or not empty
                    if path != folder and time.time() - path.stat().st_mtime > age:
                        path.rmdir() if path.is_dir() else path.unlink()


@contextmanager
def running(classifier, *, port=None, share=False, host="127.0.0.1"):
    """Serve the page while the `with` block runs; then close it and leave no file behind.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        classifier: predict.Classifier.
        port: to listen on; by default the first free one from 7860.
        share: True makes a public link by way of Gradio's servers, for a week at most.
        host: address to listen on; by default only this machine can reach the page.

    Yields:
        str, the page's address.

    Raises:
        OSError: the port is taken.
    """
    before = os.environ.get("GRADIO_TEMP_DIR")
    folder = tempfile.mkdtemp(prefix="barks-and-meows-")  # readable by this user alone
    os.environ["GRADIO_TEMP_DIR"] = folder
    page, stopped, one = None, threading.Event(), ThreadPoolExecutor(1)
    threading.Thread(target=_sweep, args=(Path(folder), stopped), daemon=True).start()
    route_utils.GradioUploadFile = _Upload  # there is no setting for it
    try:
        page = _build(classifier, one)
        look = gr.themes.Soft(primary_hue="teal", font=["system-ui", "sans-serif"])
        _, local, public = page.launch(
            server_name=host,
            server_port=port,
            share=share,
            max_file_size=MAX_BYTES,
            theme=look,
            css=_CSS,
            quiet=True,
            inline=False,
            prevent_thread_lock=True,
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            footer_links=[],
            app_kwargs={"middleware": [Middleware(_NoFiles)]},
        )
        yield public or local
    finally:
        stopped.set()
        if page is not None:
            page.close(verbose=False)
        one.shutdown(wait=False)
        os.environ.pop("GRADIO_TEMP_DIR")
        if before is not None:
            os.environ["GRADIO_TEMP_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments=None):
    """Serve the page until it is stopped with Ctrl + C."""
    parser = argparse.ArgumentParser("python -m helpers.demo", description="What is heard? A page.")
    parser.add_argument("--port", type=int, help="by default the first free one from 7860")
    parser.add_argument("--share", action="store_true", help="make a public link, too")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument(
        "--model", metavar="PATH", help="a model's folder, its .keras or .tflite file, or yamnet"
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # as Ctrl + C: tidy up, then end
    try:
        classifier = predict.Classifier.load(options.model)
        serve = {"port": options.port, "share": options.share, "host": options.host}
        with running(classifier, **serve) as address:
            print(f"{classifier.card['title']}: {address}  (Ctrl + C stops it)", flush=True)
            threading.Event().wait()
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    except OSError as error:
        said = str(error)
        if options.port and said.startswith("Cannot find empty port"):
            said = f"port {options.port} is taken: name another with --port, or none"
        sys.exit(said)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
