"""Sound files damaged at random, for a bounded time, through the decoder.

    python tests/fuzz.py --seconds 600

Good files of every format are cut, spliced and turned, a batch in a process of its own, since a
decoder in C may end it. Each must be read as finite samples or refused with audio.AudioError. What
is neither is written into tests/found/, which tests/test_any_input.py tries from then on.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import odd_files

from helpers import audio

FOUND = Path(__file__).with_name("found")
BEGINNINGS = [
    b"",
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    b"fLaC\0\0\0\x22",
    b"OggS\0\2" + bytes(20),
    b"ID3\3\0\0\0\0\0\0",
    b"\xff\xfb\x90\x64",
    b"FORM\0\0\0\x20AIFF",
    b"caff\0\1\0\0",
]
_ODD = [0, 1, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1]
_BATCH = 200
_MEMORY = 8 * 2**30  # bytes that a batch may address


def fault(content, ending, folder):
    """What is wrong with how these bytes are read; None if nothing is.

    Args:
        content: bytes of a file.
        ending: of its name, such as ".wav".
        folder: where it may be written.
    """
    path = Path(folder) / f"any{ending}"
    path.write_bytes(content)
    try:
        with odd_files.no_hang():
            waveform, rate = audio.load(path)
    except audio.AudioError as error:
        odd = [excuse for excuse in odd_files.EXCUSES if excuse in str(error)]
        return f"refused without a reason for users: {error}" if odd else None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if not (len(waveform) and rate == audio.SAMPLE_RATE and np.isfinite(waveform).all()):
        return f"{len(waveform)} samples at {rate} Hz, or not finite"
    return None


def damaged(seed, whole):
    """(bytes, ending) of a good file after some damage: a cut, a splice, turned or odd bytes."""
    rng = np.random.default_rng(seed)
    names = list(whole)
    name = names[rng.integers(len(names))]
    content = bytearray(whole[name])
    for _ in range(rng.integers(1, 9)):
        # headers are where the decisions are
        at = int(rng.integers(min(len(content), 200) if rng.random() < 0.7 else len(content)) or 0)
        how = rng.integers(7)
        if how == 0:
            content[at] ^= 1 << rng.integers(8)
        elif how == 1:
            content[at : at + 4] = int(rng.choice(_ODD)).to_bytes(4, rng.choice(["little", "big"]))
        elif how == 2:
            del content[at : at + int(rng.integers(1, 50))]
        elif how == 3:
            content[at:at] = rng.bytes(rng.integers(1, 50))
        elif how == 4:
            content[at:at] = content[at : at + int(rng.integers(1, 200))]
        elif how == 5:
            content[at:] = whole[names[rng.integers(len(names))]][at:]
        elif len(content) > 60:
            del content[int(rng.integers(50, len(content))) :]
        content = content or bytearray(b"\0")
    return bytes(content), odd_files.WRITTEN[name][0]


def batch(first, count):
    """Try some seeds; print each before it is tried, and what is wrong after it."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    whole = odd_files.whole_files()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            print(seed, flush=True)
            why = fault(*damaged(seed, whole), folder)
            if why:
                print(seed, why, flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="of the first file")
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.batch:
        return batch(options.seed, options.batch)
    end, seed, wrong, whole = time.monotonic() + options.seconds, options.seed, 0, None
    while time.monotonic() < end:
        command = [sys.executable, __file__, "--seed", str(seed), "--batch", str(_BATCH)]
        done = subprocess.run(command, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        bad = [line for line in lines if " " in line]
        if done.returncode:  # the last one that was begun ended the process
            said = (done.stderr.strip().splitlines() or [""])[-1]
            bad.append(f"{lines[-1].split()[0]} ended the process ({done.returncode}): {said}")
        for line in bad:
            whole = whole or odd_files.whole_files()
            content, ending = damaged(int(line.split()[0]), whole)
            name = f"{ending[1:]}-{hashlib.sha256(content).hexdigest()[:8]}.hex"
            FOUND.mkdir(exist_ok=True)
            (FOUND / name).write_text(content.hex() + "\n")
            print(f"{line}\n    kept as tests/found/{name}")
        wrong += len(bad)
        seed = int(lines[-1].split()[0]) + 1
        print(f"{seed - options.seed} files tried, {wrong} wrong", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
