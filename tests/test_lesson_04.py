"""Lesson 04 says what it shows: its prose against its outputs, its faults against the code."""

import ast
import builtins
import re

import lessons
import numpy as np
import pytest
from lessons import PATHS

from helpers import article
from helpers.quiet import keras, tf

# said of what another cell or the article shows: no knowledge of two classes; the article's claim
SAID_ELSEWHERE = {"0.693": np.log(2), "60": 60}
NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w])")
READ = re.compile(r"^\*\*Read the output\.\*\*.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
(PATH,) = (path for path in PATHS if path.stem.startswith("04"))


def numbers(text):
    """The numbers that a text states; sizes of filters, code and links are none."""
    text = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)|\d+ × \d+", " ", text)
    return {found.replace(",", "").lstrip("+") for found in NUMBER.findall(text)}


def said(cell):
    """What a cell's outputs say in words."""
    outputs = cell.outputs
    return "\n".join(o.get("text", "") + o.get("data", {}).get("text/plain", "") for o in outputs)


def readings(cells):
    """Pairs of a paragraph that reads an output, and what the last code cell above it says."""
    above = ""
    for cell in cells:
        if cell.cell_type == "code":
            above = said(cell)
        for paragraph in READ.findall(cell.source) if cell.cell_type == "markdown" else ():
            yield paragraph, above


def not_shown(paragraph, output):
    shown = {found.replace(",", "").lstrip("+") for found in re.findall(r"-?[\d,]*\.?\d+", output)}
    return sorted(numbers(paragraph) - shown - set(SAID_ELSEWHERE))


@pytest.fixture(scope="module")
def lesson():
    return lessons.read(PATH)


def test_every_number_that_is_read_stands_in_the_output(lesson):
    pairs = list(readings(lesson.cells))
    assert len(pairs) >= 12
    assert {
        paragraph[:80]: not_shown(*pair)
        for pair in pairs
        if not_shown(*pair)
        for paragraph in pair[:1]
    } == {}


@pytest.mark.parametrize("wrong", ["82 %", "-0.8 points", "2,061,238", "0.7"])
def test_a_number_that_is_not_shown_is_found(wrong):
    output = "74 % of 98 clips; +0.8 points; 2,061,237; 0.71"
    assert not_shown("**Read the output.** 74 % of `9` clips, 2,061,237 and 7 × 7.", output) == []
    assert not_shown(f"**Read the output.** It is {wrong}.", output) != []


def test_the_folded_answers_are_computed(lesson):
    text = "\n".join(cell.source for cell in lesson.texts)
    model = article.network((32, 32, 1), 2, keras.layers.Normalization(mean=0.0, variance=1.0))
    counts = [layer.count_params() for layer in model.layers if layer.name.startswith("conv")]
    assert f"{counts[1]:,}" in text and f"{max(counts):,}" in text
    assert f"$-\\ln 0.5 = {-np.log(0.5):.3f}$" in text


def test_the_article_leaves_exactly_these_names_undefined(lesson):
    (listing,) = re.findall(
        r"```python\n(import tensorflow.*?)```",
        "\n".join(c.source for c in lesson.texts),
        re.DOTALL,
    )
    nodes = list(ast.walk(ast.parse(listing)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    known = {n.id for n in names if isinstance(n.ctx, ast.Store)} | set(dir(builtins))
    known |= {n.name for n in nodes if isinstance(n, ast.FunctionDef)}
    known |= {n.arg for n in nodes if isinstance(n, ast.arg)}
    known |= {n.asname or n.name.split(".")[0] for n in nodes if isinstance(n, ast.alias)}
    undefined = {n.id for n in names if isinstance(n.ctx, ast.Load)} - known
    row = next(
        line
        for cell in lesson.texts
        for line in cell.source.splitlines()
        if "never defined" in line
    )
    assert set(re.findall(r"`(\w+)`", row.split("|")[2])) == undefined


def test_it_asks_before_it_tells(lesson):
    text = "\n".join(cell.source for cell in lesson.texts)
    asked = re.findall(r"\*\*Predict first\.\*\*.*?\n\n<details>", text, re.DOTALL)
    assert len(asked) >= 3 and len(asked) == text.count("**Predict first.**")
    assert len(lesson.solutions) == 4
    assert text.count("<summary>Hint</summary>") == 4
    lines = [len(solution.splitlines()) - 3 for solution in lesson.solutions.values()]
    assert sum(length >= 4 for length in lines) >= 2


def test_each_fault_does_what_the_table_says():
    sound = np.ones(1_600, np.float32)
    with pytest.raises(ModuleNotFoundError):  # 2
        __import__("tensorflow.keras.layers.experimental")
    assert len(range(179)[168:210]) == 11  # 4: of the 42 that it asks for
    with pytest.raises(ValueError, match="rank"):  # 5
        keras.losses.BinaryCrossentropy()(np.array([0, 1]), np.zeros((2, 2)))
    picture, _ = article.get_spectrogram_label(sound, 0)
    model = article.network((32, 32, 1), 2, keras.layers.Normalization(mean=0.0, variance=1.0))
    small = tf.image.resize(picture, (32, 32))
    assert len(model(small[tf.newaxis])) == 1
    assert len(model(small)) == 32  # 6: each row is taken for a clip
    with pytest.raises(tf.errors.InvalidArgumentError, match="Dimension"):  # 7
        tf.zeros([300_000] - tf.shape(tf.zeros(320_000)), tf.float32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="squeeze"):  # 8
        tf.squeeze(tf.zeros((16_000, 2)), axis=-1)
    at_half, _ = article.get_spectrogram_label(sound[::2], 0)  # 9
    assert np.any(at_half, axis=(1, 2)).sum() < 0.6 * np.any(picture, axis=(1, 2)).sum()
