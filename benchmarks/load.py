"""The demo page under load: 50 uploads at once, half of them broken, again and again.

The page is started as its users do, and asked by programs: ten rounds, and ten during which twenty
more visitors send a byte a second each. Writes benchmarks/results/load.json.

    python benchmarks/load.py
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil

from helpers import datasets, files, predict
from helpers.datasets import synthetic

sys.path.insert(0, str(files.ROOT / "tests"))
import odd_files
import visitors

GOOD, BROKEN, SLOW = 25, 25, 20
SETTLE = 5  # seconds for which the page is left alone before its memory is read again


def sounds(folder, classifier):
    """The uploads: {path: the label that is right, None where it is to be refused}."""
    made = synthetic.make_dataset(folder / "clips", 0, GOOD)
    clips = datasets.load(str(made), quiet=True)
    found = {Path(path): classifier.predict(path).label for path in clips.path}
    broken = []
    for number, case in enumerate(odd_files.cases()):
        path = folder / f"{number}" / case.name
        path.parent.mkdir()
        with suppress(OSError, ValueError):  # a name that this system cannot hold
            if case.right == "refused":
                case.make(path)
            if path.is_file() and not path.is_symlink():  # no pipe or folder can be uploaded
                broken.append(path)
    return found | dict.fromkeys(broken[:: len(broken) // BROKEN][:BROKEN])


@contextmanager
def page(folder, command=(sys.executable, "-m", "helpers.demo")):
    """The page in a process of its own, whose temporary files lie in a folder: address, process."""
    env = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(
        command, cwd=files.ROOT, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            said = process.stdout.readline()
            address = re.search(r"http://\S+", said)
            if address is None:
                raise RuntimeError(f"the page does not start: {said.strip() or 'see above'}")
            yield address[0].rstrip("/") + "/", psutil.Process(process.pid)
        finally:
            process.terminate()


def visit(address, path):
    """What one upload comes to: a label, or "refused"; and its seconds."""
    start = time.perf_counter()
    got = visitors.upload(address, path)
    text = visitors.call(address, got.json()[0]) if got.status_code == 200 else "event: error"
    label = re.search(r'"label": "(\w+)"', text)
    answer = label[1] if label else "refused" if "event: error" in text else text
    return answer, time.perf_counter() - start


def a_round(address, uploads):
    """Send all uploads at once: rows of right answer, answer, seconds."""
    with ThreadPoolExecutor(len(uploads)) as pool:
        said = list(pool.map(lambda path: visit(address, path), uploads))
    return [(right or "refused", *one) for right, one in zip(uploads.values(), said)]


def beside_slow(address, uploads):
    """The same while others send a byte a second; whether all of these were still heard."""
    over, heard = threading.Event(), []
    with visitors.slow(address, SLOW) as drip:

        def on():
            heard.append(drip())
            while not over.wait(1):
                heard.append(drip())

        thread = threading.Thread(target=on)
        thread.start()
        try:
            return a_round(address, uploads), all(heard)
        finally:
            over.set()
            thread.join()


def told(rows):
    """Counts, and the seconds of those uploads that were to be answered."""
    good = [row for row in rows if row[0] != "refused"]
    broken = [row for row in rows if row[0] == "refused"]
    taken = [row[2] for row in good]
    return {
        "good": len(good),
        "right": sum(row[0] == row[1] for row in good),
        "wrong": sum(row[0] != row[1] != "refused" for row in good),
        "good, but refused": sum(row[1] == "refused" for row in good),
        "broken": len(broken),
        "refused": sum(row[1] == "refused" for row in broken),
        "median": round(float(np.median(taken)), 2),
        "95th percentile": round(float(np.quantile(taken, 0.95)), 2),
    }


def measured(folder, rounds):
    """All that is written down."""
    (folder / "temporary").mkdir()
    uploads = sounds(folder, predict.Classifier.load())
    alone, beside, heard = [], [], []
    with page(folder / "temporary") as (address, process):
        a_round(address, uploads)  # the first answers load what the later ones use
        before, busy = process.memory_info().rss, cpu_seconds(process)
        for _ in range(rounds):
            alone += a_round(address, uploads)
            rows, all_heard = beside_slow(address, uploads)
            beside += rows
            heard.append(all_heard)
            print(len(alone) + len(beside), f"{process.memory_info().rss / 1e6:.0f} MB", flush=True)
        busy = cpu_seconds(process) - busy
        time.sleep(SETTLE)
        after = process.memory_info().rss
        left = [path for path in (folder / "temporary").rglob("*") if path.is_file()]
        slow = [path for path in left if path.name.startswith("tmp")]
    return {
        "cores": os.cpu_count(),
        "load": round(psutil.getloadavg()[1], 1),
        "at once": len(uploads),
        "alone": told(alone),
        "beside slow uploads": told(beside),
        "slow uploads": SLOW,
        "slow uploads were not given up": all(heard),
        "processor (s an upload)": round(busy / (len(alone) + len(beside)), 3),
        "memory before (MB)": round(before / 1e6),
        "memory after (MB)": round(after / 1e6),
        "files left": len(left) - len(slow),
        "files of slow uploads left": len(slow),
        "files left at the end": sum(p.is_file() for p in (folder / "temporary").rglob("*")),
    }


def cpu_seconds(process):
    """The processor's seconds that a process has taken."""
    used = process.cpu_times()
    return used.user + used.system


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="of each kind; 10 say a little")
    parser.add_argument("--out", type=Path, default=files.ROOT / "benchmarks/results/load.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), options.rounds)
    print(found)
    files.write_json(options.out, found)


if __name__ == "__main__":
    main()
