"""Reports in a real browser, offline: nothing is missing, and no solution is given away."""

import base64
import io
import re

import browser
import lessons
import nbformat.v4 as nbf
import pytest
import report
from lessons import PATHS, ROOT
from nbconvert import HTMLExporter
from PIL import Image

pytestmark = pytest.mark.browser
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<!\$)\$([^$\n]+)\$(?!\$)", re.DOTALL)
# What a reader would see, cell by cell and formula by formula.
LOOK = r"""() => {
    const seen = element => {
        const box = element.getBoundingClientRect();
        return element.checkVisibility() && box.width > 1 && box.height > 1;
    };
    const shows = output => output.innerText.trim() !== '' ||
        [...output.querySelectorAll('img, svg, audio, canvas, table')].some(seen);
    const text = document.querySelector('main').cloneNode(true);
    text.querySelectorAll('pre, code, style, script').forEach(element => element.remove());
    const folds = [...document.querySelectorAll('details')];
    const open = folds.filter(fold => fold.open).length;
    const folded = folds.filter(fold => fold.closest('.jp-MarkdownCell') &&
        fold.querySelector('pre') && !fold.open).length;
    folds.forEach(fold => fold.open = true);  // a formula in an answer is seen by who opens it
    return {
        folded: folded,
        open: open,
        cells: [...document.querySelectorAll('.jp-CodeCell')].map(cell => ({
            outputs: [...cell.querySelectorAll('.jp-OutputArea-output')].map(shows),
            pictures: [...cell.querySelectorAll('.jp-OutputArea-output img')]
                .filter(i => seen(i) && i.naturalWidth > 1).length,
            players: [...cell.querySelectorAll('audio')].filter(seen).length,
        })),
        formulas: [...document.querySelectorAll('svg.formula')]
            .filter(svg => seen(svg) && seen(svg.querySelector('path'))).length,
        raw: /\$\S|\\(frac|text|sqrt)/.test(text.textContent),
    };
}"""


def faults(notebook, page, folder):
    """What is wrong with a notebook's page when it is opened from disk, offline."""
    file, asked = folder / "report.html", []
    file.write_text(page, encoding="utf-8")
    with browser.open_page("about:blank", offline=True) as tab:
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(file.as_uri())
        tab.wait_for_load_state("load")
        seen = tab.evaluate(LOOK)
    say = [f"asks for {url[:60]}" for url in asked if not url.startswith(("file:", "data:"))]
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert len(seen["cells"]) == len(code)
    for at, (cell, shown) in enumerate(zip(code, seen["cells"])):
        if not all(shown["outputs"]):
            say.append(f"cell {at}: an output is empty")
        for output in cell.outputs:
            players = output.get("data", {}).get("text/html", "").count("<audio")
            if {"text/html", "image/png"} <= set(output.get("data", {})):
                if not shown["pictures"]:
                    say.append(f"cell {at}: a widget without its picture")
                if shown["players"] < players:
                    say.append(f"cell {at}: a widget without its players")
    if seen["open"] or seen["folded"] != sum(len(lessons.SOLUTION.findall(text)) for text in texts):
        say.append("a solution stands open")
    if seen["formulas"] != sum(len(FORMULA.findall(text)) for text in texts) or seen["raw"]:
        say.append("a formula is not typeset")
    return say


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_lesson_s_report_is_whole_without_a_network(path, tmp_path):
    notebook = lessons.read(path).notebook
    page = report.render(notebook, path.stem, ROOT / "notebooks")
    assert faults(notebook, page, tmp_path) == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_formula_can_be_set(path):
    for cell in lessons.read(path).texts:
        for block, inline in FORMULA.findall(cell.source):
            assert report.formula(block or inline, bool(block)).count("<path") == 1


@pytest.fixture
def toy():
    """A notebook with everything that went wrong once."""
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "orange").save(picture, "png")
    png = base64.b64encode(picture.getvalue()).decode()
    sound = f"<img src='data:image/png;base64,{png}'><audio controls></audio>"
    state = {"model_module": "@jupyter-widgets/base", "model_name": "LayoutModel", "state": {}}
    widget = {
        report.WIDGET: {"model_id": "a", "version_major": 2, "version_minor": 0},
        **{"text/html": sound, "image/png": png, "text/plain": "a picture"},
    }
    output = nbf.new_output("display_data", data=widget)
    cells = [
        nbf.new_markdown_cell("[![Badge](https://example.org/badge.svg)](https://example.org)"),
        nbf.new_code_cell("explore()", outputs=[output], execution_count=1),
        nbf.new_markdown_cell("Half is $x^2$, and\n\n$$\\frac{1}{2}\n\\sqrt{x}$$"),
        nbf.new_markdown_cell(
            "<details><summary>Solution</summary>\n\n```python\nx = 1\n```\n\n</details>"
        ),
    ]
    states = {"version_major": 2, "version_minor": 0, "state": {"a": state}}
    widgets = {"application/vnd.jupyter.widget-state+json": states}
    return nbf.new_notebook(cells=cells, metadata={"widgets": widgets})


def test_everything_that_went_wrong_once_is_seen(toy, tmp_path):
    page, _ = HTMLExporter(embed_images=True).from_notebook_node(toy)
    found = " ".join(faults(toy, page, tmp_path))
    for fault in ("asks for https://", "is empty", "its picture", "its players", "stands open",
                  "not typeset"):  # fmt: skip
        assert fault in found
    before = str(toy)
    assert faults(toy, report.render(toy, "toy", tmp_path), tmp_path) == []
    assert str(toy) == before


def test_what_cannot_be_set_stays_readable(toy, tmp_path):
    toy.cells[2].source = "Not $\\nosuchcommand{x}$."
    assert "<code>\\nosuchcommand{x}</code>" in report.render(toy, "toy", tmp_path)


def test_a_picture_from_elsewhere_is_its_words_and_a_link_into_a_lesson_stays_there(toy, tmp_path):
    toy.cells[2].source = (
        "<img src='https://example.org/a.png' alt='A cat, drawn.'> and "
        "[mel](02_spectrograms.ipynb#mel), by [Allen, *1977*](references.md#allen-1977)"
    )
    page = report.render(toy, "toy", tmp_path)
    assert "example.org/a.png" not in page
    assert "A cat, drawn." in page
    assert 'href="02_spectrograms.html#mel"' in page
    assert "by Allen, <em>1977</em>" in page and "references.md" not in page


def test_a_plot_has_the_words_of_its_cell(tmp_path):
    plot = nbf.new_output("display_data", data={"image/png": "iVBORw0KGgo="})
    cell = nbf.new_code_cell("plot()", outputs=[plot], metadata={"alt": 'A "wave" < 1.'})
    page = report.render(nbf.new_notebook(cells=[cell]), "toy", tmp_path)
    assert "<img alt='A \"wave\" &lt; 1.'" in page


def test_a_widget_without_anything_else_is_gone(toy):
    alone = nbf.new_output("display_data", data={report.WIDGET: {"model_id": "b"}})
    toy.cells[1].outputs += [alone, nbf.new_output("stream", text="said")]
    kept = report.without_widgets(toy).cells[1].outputs
    assert [output.output_type for output in kept] == ["display_data", "stream"]
    assert len(toy.cells[1].outputs) == 3
