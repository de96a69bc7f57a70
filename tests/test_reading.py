"""What a lesson reads off its own output is what that output says: each number stands there."""

import re

import lessons
import nbformat.v4 as nbf
import pytest
from lessons import PATHS

# A reading ends where it is said what else might have come out, or with its paragraph.
READ = re.compile(r"\*\*Read the output\.\*\*(.*?)(?=\*\*Otherwise\?\*\*|\n\n|\Z)", re.DOTALL)
PREDICTION = re.compile(r"\*\*Predict first\.\*\*.*?\n\n<details>", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.])[−-]?\d[\d,]*(?:\.\d+)?")
LEAST = {  # readings, and predictions with folded answers, that a lesson must have
    "00_start_here": (9, 3),
    "01_waveforms": (8, 3),
    "02_spectrograms": (11, 3),
    "03_data_pipeline": (9, 3),
    "04_train_cnn": (18, 3),
    "05_evaluate": (10, 5),
    "06_mfcc_vs_spectrogram": (9, 3),
    "07_transfer_learning": (9, 3),
    "08_demo_app": (12, 3),
    "09_elsewhere": (12, 3),
    "10_your_own_sounds": (7, 4),
}

KNOWN = {"04_train_cnn": {"0.693", "60"}}  # ln 2, the loss of a coin; what the article reports


def numbers(text):
    """All numbers of a text, without their thousands' commas and with a plain minus."""
    # links, formulas, names in the code, other lessons
    plain = re.sub(r"\[[^\]]*\]\([^)]*\)|\$[^$]*\$|`[^`]*`|[Ll]esson \d\d", " ", text)
    found = NUMBER.findall(plain.replace("−", "-"))
    return {number.replace(",", "").rstrip(".") for number in found}


def said_by(cell):
    """The words of a code cell and of its outputs, those of a table too."""
    parts = [cell.source]
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        parts.append(output.get("data", {}).get("text/plain", ""))
    return "\n".join(parts)


def unsaid(cells):
    """[(a number in a reading, the reading)] that neither of the two code cells above printed."""
    missing = []
    for at, cell in enumerate(cells):
        above = [c for c in cells[:at] if c.cell_type == "code"][-2:]
        held = {n for c in above for n in numbers(said_by(c))}
        held |= {number.lstrip("-") for number in held}
        held |= {number.removesuffix(".0") for number in held}
        for match in READ.finditer(cell.source if cell.cell_type == "markdown" else ""):
            missing += [(number, match[0][:80]) for number in numbers(match[1]) - held]
    return missing


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_readings_say_what_came_out(path):
    lesson = lessons.read(path)
    missing = unsaid(lesson.cells)
    assert [one for one in missing if one[0] not in KNOWN.get(lesson.stem, ())] == []
    texts = "\n\n".join(cell.source for cell in lesson.texts)
    readings, predictions = LEAST[lesson.stem]
    assert len(READ.findall(texts)) >= readings
    assert len(PREDICTION.findall(texts)) >= predictions


@pytest.mark.parametrize(
    ("reading", "missing"),
    [
        ("12,000 Hz, −3.50 dB.\n\n**Otherwise?** 7 Hz.", set()),
        ("12,000 Hz, −4.50 dB. **Otherwise?** 7 Hz.", {"-4.50"}),
        ("12,000 Hz, or 74 %.\n\nNext come 7 Hz.", set()),
        ("12,000 Hz, or 75 %.", {"75"}),
        ("Two cells further up there are 99.", {"99"}),
    ],
)
def test_a_number_that_nothing_printed_is_found(reading, missing):
    cells = []
    for text in ("99", "74 %", "12,000 Hz at -3.50 dB"):
        cells.append(nbf.new_code_cell("show()", outputs=[nbf.new_output("stream", text=text)]))
    cells.append(nbf.new_markdown_cell(f"**Read the output.** {reading}"))
    assert {number for number, _ in unsaid(cells)} == missing
