"""The demo page as a folder that can be pushed to a Hugging Face Space.

`python -m helpers.demo.space` writes it to runs/space, `make space` too. It holds the model's
LiteRT file and the few modules that the page needs, so that a Space does without TensorFlow.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import soundfile

from helpers import files, predict
from helpers.audio import SAMPLE_RATE
from helpers.demo import answers

_ROOT = files.ROOT
_MODULES = (
    "__init__",
    "files",
    "audio",
    "plots",
    "predict",
    "demo/__init__",
    "demo/answers",
    "demo/page",
)
_PACKAGES = (
    "gradio",
    "ai-edge-litert",
    "matplotlib",
    "numpy",
    "pandas",
    "seaborn",
    "soundfile",
    "soxr",
)
_APP = '''\
"""Starts the page; a Space tells by a variable of the environment on which address to listen."""

import os

from helpers.demo import page

page.main(["--host", os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")])
'''
_README = """\
---
title: "Barks & Meows"
emoji: 🐾
colorFrom: yellow
colorTo: blue
sdk: gradio
sdk_version: {gradio}
python_version: "{python}"
app_file: app.py
license: cc-by-sa-3.0
short_description: Cat or dog? Upload or record a sound and see why.
---

# Barks & Meows

Cat or dog? Upload or record a sound. The page tells what a small network calls it, how surely, and
which part of the sound decided; it says unsure where it should not guess. A sound is deleted as
soon as it is heard.

The network was trained on {trained}. It answers cat or dog to anything: do not rely on it.
{card}It is made, measured and explained, step by step, in the course
[Barks & Meows]({course}), lesson 08; this folder was written by its `make space`.

Without a Space: `pip install -r requirements.txt`, then `python app.py`.
"""
_ATTRIBUTES = (
    "*.tflite filter=lfs diff=lfs merge=lfs -text\n*.flac filter=lfs diff=lfs merge=lfs -text\n"
)


def write(folder, model=None):
    """Write the folder; what an earlier call wrote there is replaced.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        folder: path, of a folder that is new, empty or written by an earlier call; the files of
            a git working copy in it stay.
        model: path of a .tflite file, its card beside it; by default the one the course ships.

    Returns:
        list of the files written, as paths within the folder.

    Raises:
        FileNotFoundError: there is no such model.
        ValueError: the folder holds something else.
    """
    folder, model = Path(folder), Path(model or predict.SHIPPED)
    card = predict.Classifier.load(model).card  # refuses what is no model
    known = [path for path in folder.glob("*") if path.name != ".git"] if folder.exists() else []
    if known and not (folder / "app.py").is_file():
        raise ValueError(f"{folder.name}/ holds something else: name a new folder")
    for name in ("helpers", "examples", "data"):
        shutil.rmtree(folder / name, ignore_errors=True)
    about = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))
    address = about["project"]["urls"]["Repository"]
    readme = _README.format(
        gradio=version("gradio"),
        python=".".join(map(str, sys.version_info[:2])),
        trained=card.get("trained on", "recordings of cats and dogs").split(",")[0],
        card="The whole card: [data/pretrained](data/pretrained/README.md). "
        if model.with_name("README.md").is_file()
        else "",
        course=address,
    )
    written = {
        "README.md": readme,
        "app.py": _APP,
        "requirements.txt": _requirements(),
        ".gitattributes": _ATTRIBUTES,
        "LICENSE": (_ROOT / "LICENSE").read_text("utf-8"),
        "data/pretrained/cat_dog_cnn.json": json.dumps(card, indent=1),
    }
    for name in _MODULES:
        written[f"helpers/{name}.py"] = (_ROOT / "helpers" / f"{name}.py").read_text("utf-8")
    if model.with_name("README.md").is_file():
        text = model.with_name("README.md").read_text("utf-8")
        written["data/pretrained/README.md"] = text.replace("](../../", f"]({address}/blob/main/")
    for name in ("helpers/demo", "examples", "data/pretrained"):
        (folder / name).mkdir(parents=True)
    for name, text in written.items():
        (folder / name).write_text(text, "utf-8")
    shutil.copyfile(model, folder / "data" / "pretrained" / "cat_dog_cnn.tflite")
    for name, clip in answers.examples().items():
        soundfile.write(folder / "examples" / f"{name}.flac", clip, SAMPLE_RATE)
    return sorted(
        str(path.relative_to(folder).as_posix())
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    )


def _requirements():
    """The course's own ranges, of the packages that the page imports."""
    listed = (_ROOT / "requirements.txt").read_text("utf-8").splitlines()
    lines = {re.match(r"[\w-]*", line)[0]: line.split("#")[0].strip() for line in listed}
    return "".join(f"{lines[package]}\n" for package in _PACKAGES)


def main(arguments=None):
    """Write the folder, and say what to do with it."""
    parser = argparse.ArgumentParser("python -m helpers.demo.space", description="Write a Space.")
    parser.add_argument("folder", nargs="?", default=_ROOT / "runs" / "space", type=Path)
    parser.add_argument("--model", metavar="PATH", help="a .tflite file")
    options = parser.parse_args(arguments)
    try:
        written = write(options.folder, options.model)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    size = sum((options.folder / name).stat().st_size for name in written)
    name = os.path.relpath(options.folder)
    print(f"{name}: {len(written)} files, {size / 1e6:.1f} MB. To publish it:")
    print("  hf auth login")
    print("  hf repos create YOU/barks-and-meows --type space --sdk gradio")
    print(f"  hf upload YOU/barks-and-meows {name} . --type space")


if __name__ == "__main__":
    main()
