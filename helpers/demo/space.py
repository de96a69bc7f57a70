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
    "whole",
    "plots",
    "predict",
    "demo/__init__",
    "demo/answers",
    "demo/page",
)
_PACKAGES = (
    "gradio",
    "ai-edge-litert",
    "filelock",
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
from pathlib import Path

from helpers.demo import page

HOST = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
MODEL = Path(__file__).parent / "{model}"

if __name__ == "__main__":
    page.main(["--host", HOST, "--model", str(MODEL)])
'''
_README = """\
---
title: {title}
emoji: {emoji}
colorFrom: yellow
colorTo: blue
sdk: gradio
sdk_version: {gradio}
python_version: "{python}"
app_file: app.py
{licence}short_description: {short}
---

# {heading}

{question} Upload or record a sound. The page tells what a small network calls it, how surely, and
which part of the sound decided; it says unsure where it should not guess. A sound is deleted as
soon as it is heard.

The network was trained on {trained}. {about} Do not rely on it.
{card}It is made, measured and explained, step by step, in the course
[Barks & Meows]({course}), lesson 08; this folder was written by its `make space`.

Without a Space: `pip install -r requirements.txt`, then `python app.py`.
"""
_MOST_LETTERS = 60  # of a short description on the Hub
_ATTRIBUTES = (
    "*.tflite filter=lfs diff=lfs merge=lfs -text\n*.flac filter=lfs diff=lfs merge=lfs -text\n"
)


def write(folder, model=None):
    """Write the folder; what an earlier call wrote there is replaced.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        folder: path, of a folder that is new, empty or written by an earlier call; the files of
            a git working copy in it stay.
        model: path of a .tflite file, its card beside it, or of the folder that `make model`
            writes; by default the one the course ships.

    Returns:
        list of the files written, as paths within the folder.

    Raises:
        FileNotFoundError: there is no such model.
        ValueError: the folder holds something else, or the model is YAMNet.
    """
    if str(model) == "yamnet":
        raise ValueError(
            "a Space is made of the course's files, and YAMNet's is others': name a model's "
            "folder, or none for the one that the course ships"
        )
    folder, model = Path(folder), Path(model or predict.SHIPPED)
    model = model / "model.tflite" if model.is_dir() else model.with_suffix(".tflite")
    card = predict.Classifier.load(model).card  # refuses what is no model
    known = [path for path in folder.glob("*") if path.name != ".git"] if folder.exists() else []
    app = folder / "app.py"
    ours = app.is_file() and app.read_text("utf-8").startswith(_APP.splitlines()[0])
    if known and not ours:
        raise ValueError(f"{folder.name}/ holds something else: name a new folder")
    for name in ("helpers", "examples", "data", "model"):
        shutil.rmtree(folder / name, ignore_errors=True)
    about = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))
    address = about["project"]["urls"]["Repository"]
    place = "data/pretrained" if model.resolve() == predict.SHIPPED.resolve() else "model"
    whole = model.with_name("README.md")  # the card for readers
    sounds = answers.examples(card)
    heard = "examples" if card["examples"] == "voices" else f"{place}/examples"
    written = {
        "README.md": _readme(card, address, place if whole.is_file() else None),
        "app.py": _APP.replace("{model}", f"{place}/{model.name}"),
        "requirements.txt": _requirements(),
        ".gitattributes": _ATTRIBUTES,
        "LICENSE": (_ROOT / "LICENSE").read_text("utf-8"),
        f"{place}/{model.stem}.json": json.dumps(_card_of_space(card, sounds), indent=1),
    }
    for name in _MODULES:
        written[f"helpers/{name}.py"] = (_ROOT / "helpers" / f"{name}.py").read_text("utf-8")
    if whole.is_file():
        text = whole.read_text("utf-8")
        text = text.replace("](../../", f"]({address}/blob/main/")
        written[f"{place}/README.md"] = text.replace("](../", f"]({address}/blob/main/data/")
    for name in ("helpers/demo", place, *([heard] if sounds else [])):
        (folder / name).mkdir(parents=True)
    for name, text in written.items():
        (folder / name).write_text(text, "utf-8")
    shutil.copyfile(model, folder / place / model.name)
    for name, clip in sounds.items():
        soundfile.write(folder / heard / f"{name}.flac", clip, SAMPLE_RATE)
    return sorted(
        str(path.relative_to(folder).as_posix())
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    )


def _card_of_space(card, sounds):
    """The card with its examples where the folder has them."""
    if card["examples"] == "voices":
        return card
    return card | {"examples": [f"examples/{name}.flac" for name in sounds]}


def _readme(card, address, place):
    """What the Hub reads and shows; place: of the whole card within the folder, or None."""
    short = f"{card['question']} Upload or record a sound and see why."
    if len(short) > _MOST_LETTERS:
        short = "What is heard? Upload or record a sound and see why."
    return _README.format(
        title=json.dumps(card["title"], ensure_ascii=False),  # quoted as YAML takes it
        emoji="🐾" if card["examples"] == "voices" else "🔊",
        gradio=version("gradio"),
        python=".".join(map(str, sys.version_info[:2])),
        licence=f"license: {card['licence']}\n" if card["licence"] else "",
        short=json.dumps(short, ensure_ascii=False),
        heading=card["title"],
        question=card["question"],
        trained=card.get("trained on", "recordings").rsplit(",", 1)[0],
        about=card["about"],
        card=f"The whole card: [{place}]({place}/README.md). " if place else "",
        course=address,
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
    parser.add_argument("--model", metavar="PATH", help="a .tflite file, or its folder")
    options = parser.parse_args(arguments)
    try:
        written = write(options.folder, options.model)
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    size = sum((options.folder / name).stat().st_size for name in written)
    name = os.path.relpath(options.folder)
    print(f"{name}: {len(written)} files, {size / 1e6:.1f} MB. To publish it:")
    print("  hf auth login")
    title = predict.Classifier.load(options.model).card["title"]
    space = "YOU/" + "-".join(re.findall(r"\w+", title.lower().replace("&", "and")))
    print(f"  hf repos create {space} --type space --sdk gradio")
    print(f"  hf upload {space} {name} . --type space")


if __name__ == "__main__":
    main()
