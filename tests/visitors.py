"""Programs that ask the demo page, as anybody's may: they upload a file and wait for the answer.

Used by the tests of the page and by benchmarks/load.py.
"""

import contextlib
import socket
from urllib.parse import urlparse

import httpx


def upload(address, path):
    """Send a file: the page's response, whose JSON names where it lies there."""
    url = f"{address}gradio_api/upload"
    return httpx.post(url, files={"files": (path.name, path.read_bytes())}, timeout=60)


def asked(address, there):
    """Ask about a path on the server: {"event_id": ...}, or why not."""
    file = {"path": str(there), "meta": {"_type": "gradio.FileData"}}
    return httpx.post(f"{address}gradio_api/call/predict", json={"data": [file]}, timeout=60).json()


def said(address, event):
    """Wait for what comes of a question: the text of its events."""
    url = f"{address}gradio_api/call/predict/{event['event_id']}"
    return httpx.get(url, timeout=60).text


def call(address, there):
    """Ask about a path on the server, and wait: the text of its events."""
    return said(address, asked(address, there))


@contextlib.contextmanager
def slow(address, count):
    """So many visitors whose upload has begun and does not get on.

    Yields:
        drip: sends one byte more of each; False once the page has given one of them up.
    """
    place = urlparse(address)
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Length: 100000\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="slow.wav"\r\n\r\nRIFF'
    )
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_connection((place.hostname, place.port), 60))
            for _ in range(count)
        ]
        for one in sockets:
            one.sendall(head.encode())

        def drip():
            try:
                for one in sockets:
                    one.sendall(b"0")
            except OSError:
                return False
            return True

        yield drip
