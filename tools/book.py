"""Build the book of the committed lessons, with the model in one of its pages, into runs/site.

python tools/book.py

Nothing is executed: a lesson is shown as it was committed. npm fetches once what the pages run in
the browser (formulas, the model's runtime), and then all of it lies beside the pages. To look at
the book: python -m http.server --directory runs/site
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat

from helpers import files, plots, predict, windows

SITE = files.ROOT / "site"
PAGES = ["notebooks/*.ipynb", "notebooks/*.md", "data/README.md", "data/pretrained/README.md"]
PAGES += ["benchmarks/README.md", "TEACHING.md", "CONTRIBUTING.md", "CHANGELOG.md"]
PICTURES = ["notebooks/images/*", "data/pretrained/*.png", "benchmarks/*.png"]
# What is kept beside the pages: from the package, and where.
KEPT = {
    "mathjax/tex-mml-chtml.js": "mathjax/tex-mml-chtml.js",
    "mathjax/input/tex/extensions": "mathjax/input/tex/extensions",
    "mathjax/a11y": "mathjax/a11y",
    "mathjax/sre": "mathjax/sre",
    "mathjax/ui": "mathjax/ui",
    "mathjax/LICENSE": "mathjax/LICENSE",
    "@mathjax/mathjax-newcm-font/chtml": "mathjax-newcm-font/chtml",
    "@mathjax/mathjax-newcm-font/chtml.js": "mathjax-newcm-font/chtml.js",
    "@litertjs/core/dist/index.js": "litert/core.js",
    "@litertjs/wasm-utils/dist/index.js": "litert/wasm-utils.js",
    "@litertjs/core/wasm/litert_wasm_internal.js": "litert/wasm/litert_wasm_internal.js",
    "@litertjs/core/wasm/litert_wasm_internal.wasm": "litert/wasm/litert_wasm_internal.wasm",
    "@litertjs/core/wasm/litert_wasm_compat_internal.js": (
        "litert/wasm/litert_wasm_compat_internal.js"
    ),
    "@litertjs/core/wasm/litert_wasm_compat_internal.wasm": (
        "litert/wasm/litert_wasm_compat_internal.wasm"
    ),
}


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=files.ROOT / "runs" / "site")
    parser.add_argument(
        "--work", type=Path, default=files.ROOT / "runs" / "site-work", help="what a build keeps"
    )
    options = parser.parse_args(argv)
    began = time.monotonic()
    try:
        build(options.output, options.work)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        print(f"book.py: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: built in {time.monotonic() - began:.0f} s. To look at it:")
    print(f"  python -m http.server --directory {options.output}")
    return 0


def build(output, work):
    """Write the book.

    Args:
        output: folder of the pages; emptied before.
        work: folder of what makes the next build quicker.

    Raises:
        OSError: npm is missing, or a file cannot be written.
        subprocess.CalledProcessError: npm or Sphinx failed; it has said why.
    """
    static = work / "static"
    once(work / "npm", [SITE / "package-lock.json"], fetch)
    for package, place in KEPT.items():
        copy(work / "npm" / "node_modules" / package, static / place)
    model = predict.SHIPPED.with_suffix(".keras")
    of = [model, SITE / "static" / "try" / "answer.js", windows.__file__, __file__]
    once(static / "model", of, lambda folder: write_model(model, folder))
    sources = lay_out(work / "source")
    shutil.rmtree(output, ignore_errors=True)
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    command += ["-b", "html", "-c", str(SITE), "-d", str(work / "doctrees")]
    environment = os.environ | {"BOOK_STATIC": str(static.resolve())}
    subprocess.run([*command, str(sources), str(output)], check=True, env=environment)
    shutil.rmtree(output / ".doctrees", ignore_errors=True)
    (output / ".nojekyll").touch()  # else GitHub Pages leaves out what begins with _


def once(folder, of, make):
    """Make a folder anew when one of the files that it is made of has changed."""
    digest = hashlib.sha256(b"".join(Path(path).read_bytes() for path in of)).hexdigest()
    stamp = folder / ".made-of"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make(folder)
    stamp.write_text(digest)


def fetch(folder):
    """Let npm install what the lock names; none of its packages runs a script here."""
    if not (npm := shutil.which("npm")):
        raise FileNotFoundError("npm is missing; it comes with Node.js, https://nodejs.org")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SITE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def write_model(path, folder):
    """The model for the page: LiteRT.js takes no sizes that vary, so it is given window by window.

    Args:
        path: of the .keras file; its card lies beside it.
        folder: gets model.tflite, (1, 24000) samples to (1, classes) probabilities; card.json, the
            model's card with the colours of its classes; and the examples of the demo page.
    """
    import soundfile
    from matplotlib import colormaps

    from helpers.demo import answers
    from helpers.quiet import keras, tf

    network = keras.models.load_model(path, compile=False)
    cnn = next(layer for layer in network.layers if isinstance(layer, keras.Model))
    card = predict.Classifier.load(path.with_suffix(".tflite")).card
    window = keras.Input(batch_shape=(1, windows.LENGTH), name="waveform")
    shares = keras.ops.softmax(cnn(windows.network_input(window)) / card["temperature"])
    # Keras' export leaves the batch open unless a signature fixes it
    fixed = [keras.InputSpec(shape=(1, windows.LENGTH), dtype="float32")]
    saved = folder / "saved"
    keras.Model(window, shares).export(saved, verbose=False, input_signature=fixed)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    (folder / "model.tflite").write_bytes(converter.convert())
    shutil.rmtree(saved)
    magma = (255 * colormaps["magma"](range(256))[:, :3]).round().astype(int)
    card["colours"] = {name: plots.colour(name) for name in card["names"]}
    card["magma"] = ["#{:02x}{:02x}{:02x}".format(*one) for one in magma]
    card["examples"] = []
    for name, clip in answers.examples(card | {"examples": "voices"}).items():
        soundfile.write(folder / f"{name}.wav", clip.clip(-1, 1), predict.SAMPLE_RATE)
        card["examples"].append(name)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def lay_out(folder):
    """Copy the pages' sources into one tree, where README.md is the first page."""
    fresh = folder.with_name("source-new")
    shutil.rmtree(fresh, ignore_errors=True)
    for pattern in PAGES + PICTURES:
        for path in sorted(files.ROOT.glob(pattern)):
            copy(path, fresh / path.relative_to(files.ROOT))
    for path in fresh.glob("notebooks/*.ipynb"):
        describe(path)
    copy(files.ROOT / "README.md", fresh / "index.md")
    for name in ("try.md", "try.html", "colab-badge.svg"):
        copy(SITE / name, fresh / name)
    shutil.rmtree(folder, ignore_errors=True)
    return fresh.rename(folder)


def describe(path):
    """Put each cell's alt text where the book's builder looks for it."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if words := cell.metadata.get("alt"):
            cell.metadata["mystnb"] = {"image": {"alt": words}}
    nbformat.write(notebook, path)


if __name__ == "__main__":
    sys.exit(main())
