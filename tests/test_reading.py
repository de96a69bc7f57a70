"""What a lesson says of its own output is what came out: each number stands there."""

import re

import lessons
import pytest
from lessons import PATHS

READ = re.compile(r"\*\*Read the output\.\*\*(.*?)(?=\*\*Otherwise\?\*\*)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,]*(?:\.\d+)?")
STRICT = (  # each reading must follow its code cell
    *("00_start_here", "01_waveforms", "02_spectrograms", "08_demo_app", "09_elsewhere"),
)


def numbers(text):
    """All numbers of a text, without their thousands' commas and with a plain minus."""
    # links, formulas, names in the code, other lessons
    plain = re.sub(r"\[[^\]]*\]\([^)]*\)|\$[^$]*\$|`[^`]*`|lesson \d\d", " ", text)
    found = NUMBER.findall(plain.replace("−", "-"))
    return {number.replace(",", "").rstrip(".") for number in found}


def said_by(cell):
    """The words of a code cell's outputs, those of a table too."""
    parts = [cell.source]
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        parts.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(parts)


def unsaid(cells):
    """[(a number in a reading, the reading)] that the code cell before it did not print."""
    missing, above = [], None
    for cell in cells:
        if cell.cell_type == "code":
            above = cell
            continue
        for match in READ.finditer(cell.source):
            held = numbers(said_by(above)) if above else set()
            held |= {number.lstrip("-") for number in held}
            held |= {number.removesuffix(".0") for number in held}
            missing += [(number, match[0][:80]) for number in numbers(match[1]) - held]
    return missing


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_readings_say_what_came_out(path):
    lesson = lessons.read(path)
    assert unsaid(lesson.cells) == []
    if lesson.stem in STRICT:
        texts = "\n".join(cell.source for cell in lesson.texts)
        predictions = re.findall(r"\*\*Predict first\.\*\*.*?\n\n<details>", texts, re.DOTALL)
        assert len(READ.findall(texts)) >= 5 and len(predictions) >= 3
        assert texts.count("**Read the output.**") == len(READ.findall(texts))


def test_a_number_that_nothing_printed_is_found():
    code = lessons.nbformat.v4.new_code_cell("print(x)")
    code.outputs = [lessons.nbformat.v4.new_output("stream", text="12,000 Hz at -3.50 dB")]
    good = "**Read the output.** 12,000 Hz, −3.50 dB.\n\n**Otherwise?** 7 Hz."
    for text, missing in [(good, set()), (good.replace("3.50", "4.50"), {"-4.50"})]:
        cells = [code, lessons.nbformat.v4.new_markdown_cell(text)]
        assert {number for number, _ in unsaid(cells)} == missing
