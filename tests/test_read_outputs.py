"""What a lesson's prose reads off an output is what that output says."""

import re

import nbformat
import nbformat.v4 as nbf
import pytest
from lessons import ROOT

NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
LESSONS = {"03_data_pipeline": 2, "05_evaluate": 4, "10_your_own_sounds": 6}


def unread(cells):
    """Numbers of each text that reads an output and that the two code cells above do not hold."""
    missing, count = [], 0
    for at, cell in enumerate(cells):
        if cell.cell_type != "markdown" or not cell.source.startswith("**Read the output.**"):
            continue
        count += 1
        above = [c for c in cells[:at] if c.cell_type == "code"][-2:]
        said = [c.source for c in above]
        for output in (o for c in above for o in c.outputs):
            said += [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
        known = set(NUMBER.findall("\n".join(said)))
        missing += [number for number in NUMBER.findall(cell.source) if number not in known]
    return count, missing


@pytest.mark.parametrize("stem", LESSONS)
def test_the_prose_reads_the_outputs(stem):
    cells = nbformat.read(ROOT / "notebooks" / f"{stem}.ipynb", as_version=4).cells
    count, missing = unread(cells)
    assert missing == []
    assert count >= LESSONS[stem]


def test_a_number_that_no_output_holds_is_found():
    cell = nbf.new_code_cell("share()", outputs=[nbf.new_output("stream", text="74 %\n")])
    for text, wanted in (("74 % are right", []), ("75 % are right", ["75"])):
        cells = [cell, nbf.new_markdown_cell(f"**Read the output.** {text}")]
        assert unread(cells) == (1, wanted)
