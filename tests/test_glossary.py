"""The glossary and the references: linked both ways, by anchors that exist everywhere."""

import re
import shutil
from collections import Counter

import glossary
import nbformat
import nbformat.v4 as nbf
import pytest
from lessons import PATHS, ROOT, STEMS

pytestmark = pytest.mark.slow

NOTEBOOKS = ROOT / "notebooks"
TEXTS = {sheet: (NOTEBOOKS / sheet).read_text("utf-8") for sheet in glossary.SHEETS}
ENTRIES = [entry for sheet, text in TEXTS.items() for entry in glossary.read(text, sheet)]
TERMS = [entry for entry in ENTRIES if entry.sheet == "glossary.md"]


def ids(entry):
    return entry.name


def addresses(text):
    return re.findall(r"\]\(((?:glossary|references)\.md#[^)\s]+)\)", text)


def texts(folder, stem):
    cells = nbformat.read(folder / f"{stem}.ipynb", as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    """A copy of all lessons and sheets, brought into step."""
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks").mkdir()
    for path in [*PATHS, *(NOTEBOOKS / sheet for sheet in TEXTS)]:
        shutil.copy(path, root / "notebooks")
    glossary.update(root / "notebooks")
    return root


def test_the_committed_lessons_are_in_step():
    changed, complaints = glossary.update(NOTEBOOKS, write=False)
    assert (changed, complaints) == ([], []), "run `make glossary`; what it says is yours to mend"


@pytest.mark.parametrize("sheet", TEXTS)
def test_headings_are_in_order_and_have_the_same_anchor_everywhere(sheet):
    """GitHub, Sphinx and Jupyter differ in the rest: other letters, doubles, deeper headings."""
    names = [entry.name for entry in ENTRIES if entry.sheet == sheet]
    assert names == sorted(names, key=str.casefold)
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9' -]*", name)] == []
    anchors = Counter(entry.anchor for entry in ENTRIES if entry.sheet == sheet)
    assert max(anchors.values()) == 1 and all(re.fullmatch(r"[a-z0-9-]+", a) for a in anchors)
    levels = re.findall(r"^(#+) ", TEXTS[sheet], re.MULTILINE)
    assert levels == ["#"] + ["##"] * len(names)


@pytest.mark.parametrize("entry", TERMS, ids=ids)
def test_a_term_has_a_short_definition_and_a_lesson(entry):
    part = re.search(
        rf"^## {re.escape(entry.name)}$(.*?)(?=^## |\Z)", TEXTS["glossary.md"], re.M | re.S
    )
    said = re.sub(r"<!--.*?-->|^Taught in .*", "", part[1], flags=re.M | re.S).strip()
    said = re.sub(r"\nSee \[.*?\]\(references\.md#[a-z0-9-]+\)\.$", "", said)
    assert 5 <= len(said.split()) <= 60 and said.endswith((".", ".)"))
    assert len(re.findall(r"[.?](?= |\n|$)", said)) <= 4
    assert entry.taught in STEMS


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e not in TERMS], ids=ids)
def test_a_reference_has_a_doi_or_says_that_it_has_none(entry):
    part = re.search(
        rf"^## {re.escape(entry.name)}$(.*?)(?=^## |\Z)", TEXTS["references.md"], re.M | re.S
    )
    said = " ".join(part[1].split())
    links = re.findall(r"\[doi:(\S+?)\]\(https://doi\.org/(\S+)\)", said)
    assert all(name == address.rstrip(")") or name == address for name, address in links)
    assert len(links) + ("No DOI." in said) + ("DOI not verified." in said) == 1
    assert all(re.match(r"10\.\d{4,5}/\S+", name) for name, _ in links)
    assert re.search(r"\*[^*]+\*", said)


def test_no_word_means_two_things_in_one_lesson():
    for number in (stem[:2] for stem in STEMS):
        words = Counter(w for e in ENTRIES for w, only in e.words if not only or number in only)
        assert [word for word, n in words.items() if n > 1] == []


def test_a_term_names_its_paper_and_the_paper_its_terms():
    known = {entry.address for entry in ENTRIES}
    there, back = (addresses(TEXTS[sheet]) for sheet in ("glossary.md", "references.md"))
    assert set(there + back) <= known and len(there) == len(back) >= 30
    behind = glossary.terms_of(TEXTS["glossary.md"])
    assert behind["zhou-et-al-2016"] == ["[class-activation map](glossary.md#class-activation-map)"]
    for anchor, terms in behind.items():
        assert f"Behind {', '.join(terms)}." in TEXTS["references.md"], anchor


def test_a_reference_says_where_it_is_needed():
    parts = re.split(r"^## ", TEXTS["references.md"], flags=re.MULTILINE)[1:]
    lost = [part.split("\n")[0] for part in parts if not re.search(
        r"^(Cited in \[|Behind \[|Used in `helpers/)", part, re.MULTILINE)]  # fmt: skip
    assert lost == []


def test_the_sheets_lead_somewhere():
    for text in TEXTS.values():
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
            assert (NOTEBOOKS / target).exists(), target


@pytest.mark.parametrize("stem", STEMS)
def test_links_stand_once_where_they_may_and_lead_to_an_anchor(stem, linked):
    known = {entry.address for entry in ENTRIES}
    cells = texts(linked / "notebooks", stem)
    found = Counter(address for text in cells for address in addresses(text))
    assert len(found) >= 10 and set(found) <= known
    assert max(found.values()) == 1
    for text in cells:
        closed = re.findall(
            r"<details.*?</details>|```.*?```|^#.*?$", text, re.DOTALL | re.MULTILINE
        )
        assert not any(addresses(part) for part in closed)
    assert not addresses(cells[0]) and not addresses(cells[-1])
    plain = [glossary.OURS.sub(r"\1", text) for text in cells]
    assert plain == [glossary.OURS.sub(r"\1", text) for text in texts(NOTEBOOKS, stem)]


def test_links_lead_back(linked):
    folder = linked / "notebooks"
    links = {stem: set(addresses("\n".join(texts(folder, stem)))) for stem in STEMS}
    for sheet, lead in glossary.SHEETS.items():
        parts = re.split(r"^## ", (folder / sheet).read_text("utf-8"), flags=re.MULTILINE)[1:]
        entries = [entry for entry in ENTRIES if entry.sheet == sheet]
        for entry, part in zip(entries, parts, strict=True):
            line = re.search(rf"^{lead} .*", part, re.MULTILINE)
            back = re.findall(r"\((\w+)\.ipynb\)", line[0]) if line else []
            there = {stem for stem in STEMS if entry.address in links[stem]}
            taught = {entry.taught} if sheet == "glossary.md" else set()
            assert there | taught <= set(back), entry.name
            assert sheet == "references.md" or set(back) == there | taught, entry.name
            assert len(back) == len(set(back)) and back[:1] == list(taught) + back[len(taught) : 1]


def test_only_sources_of_cells_are_changed(linked):
    for path in PATHS:
        before, after = (nbformat.read(p, 4) for p in (path, linked / "notebooks" / path.name))
        for cell in [*before.cells, *after.cells]:
            if cell.cell_type == "markdown":
                cell.source = ""
        assert before == after


def test_a_second_time_changes_nothing_and_check_writes_nothing(linked, capsys):
    assert glossary.update(linked / "notebooks")[0] == []
    path = linked / "notebooks" / f"{STEMS[1]}.ipynb"
    text = path.read_text("utf-8")
    broken = text.replace("(glossary.md#waveform)", "(glossary.md#gone)")
    assert broken != text
    path.write_text(broken, "utf-8")
    assert glossary.main(["--root", str(linked), "--check"]) == 1
    assert path.name in capsys.readouterr().out and path.read_text("utf-8") == broken
    glossary.main(["--root", str(linked)])
    assert path.read_text("utf-8") == text


SHEET = """# Glossary

## log-mel spectrogram
<!-- words: log-mel spectrogram(s), log-mel -->
A picture.

Taught in [](02_b.ipynb).

## spectrogram
A picture.

Taught in [](02_b.ipynb).

## leak
<!-- words: leak(s) @03, data leak -->
Bad.

Taught in [](03_c.ipynb).
"""


def linked_text(text, number="02"):
    """The text after linking, in the second cell of three, and the terms linked."""
    cells = [nbf.new_markdown_cell(t) for t in ("# spectrogram", text, "spectrogram")]
    notebook = nbf.new_notebook(cells=cells)
    seen = glossary.link(notebook, glossary.read(SHEET, "glossary.md"), number)
    assert notebook.cells[0].source == "# spectrogram" and notebook.cells[2].source == "spectrogram"
    return notebook.cells[1].source, [entry.name for entry in seen]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("A spectrogram, a spectrogram", "A [spectrogram](glossary.md#spectrogram), a spectrogram"),
        ("**Spectrograms** are", "**[Spectrograms](glossary.md#spectrogram)** are"),
        ("a log-mel\nspectrogram", "a [log-mel\nspectrogram](glossary.md#log-mel-spectrogram)"),
        ("| a | spectrogram |", "| a | [spectrogram](glossary.md#spectrogram) |"),
        ("the [spectrogram](glossary.md#old)", "the [spectrogram](glossary.md#spectrogram)"),
        ("# A spectrogram\n\nno", None),
        ("`spectrogram`", None),
        ("```\nspectrogram\n```", None),
        ("$spectrogram$ and $$\nspectrogram\n$$", None),
        ("[a spectrogram](02_b.ipynb)", None),
        ("![a spectrogram](x.png)", None),
        ("[![spectrogram](x.svg)](https://example.org)", None),
        ("<details><summary>spectrogram</summary>\n\nspectrogram\n\n</details>", None),
        ("<img alt='spectrogram'>", None),
        ("<!-- spectrogram -->", None),
        ("https://example.org/spectrogram", None),
        ("plots.spectrogram, spectrogram-like, spectrogramme, SPECTRO", None),
        ("a leak", None),
        ("## Quiz\n\nspectrogram", None),
    ],
)  # fmt: skip
def test_what_is_linked_and_what_is_not(text, wanted):
    assert linked_text(text)[0] == (wanted or text)
    assert linked_text(linked_text(text)[0])[0] == (wanted or text)


def test_a_word_may_mean_something_in_one_lesson_only():
    assert linked_text("a leak", "03") == ("a [leak](glossary.md#leak)", ["leak"])
    assert linked_text("a data leak", "02")[1] == ["leak"]


def test_a_citation_is_linked_however_it_is_written():
    entries = glossary.read("# R\n\n## Wilson 1927\nIt. No DOI.\n", "references.md")
    for text in ("Wilson 1927", "(Wilson, 1927)", "Wilson (1927)"):
        cells = [nbf.new_markdown_cell(t) for t in ("", text, "")]
        notebook = nbf.new_notebook(cells=cells)
        assert glossary.link(notebook, entries, "05") == entries
        assert "](references.md#wilson-1927)" in notebook.cells[1].source


def test_a_citation_that_leads_to_its_paper_itself_counts_and_is_left(linked):
    text = "\n".join(texts(linked / "notebooks", STEMS[1]))
    assert "[Nicastro, 2004](https://doi.org/" in text
    sheet = (linked / "notebooks" / "references.md").read_text("utf-8")
    entry = sheet[sheet.index("## Nicastro 2004") :].split("\n## ")[0]
    assert f"Cited in [01 · Waveforms]({STEMS[1]}.ipynb)" in entry


def test_a_term_that_its_lesson_does_not_know_is_said():
    entries = glossary.read(SHEET, "glossary.md")
    spoken = {"02_b": "a log-mel spectrogram", "03_c": "nothing"}
    assert glossary.complaints(entries, {}, spoken) == ["leak: 03_c does not know the word"]
    del spoken["03_c"]
    assert glossary.complaints(entries, {}, spoken) == ["leak: no lesson 03_c"]


# ---- who is named is among the references

NAME = r"(?:de |van )?[A-ZÀ-Þ][\w-]*[a-zà-ÿ]"
CITED = re.compile(
    rf"({NAME}(?: Sissom)?)(?:,? (?:and )?{NAME}(?: {NAME})?)*(?: et al\.)?,?"
    r" \(?((?:18|19|20)\d\d)\b"
)
NO_PAPER = {"May", "June", "July", "Hz"}


def cited(text):
    """(first author, year) of every citation in a text."""
    flat = " ".join(text.split())
    return {(m[1], m[2]) for m in CITED.finditer(flat) if m[1] not in NO_PAPER}


def test_citations_are_found():
    text = """Wilson (1927), Stevens, Volkmann and
    Newman (1937); Zhou et al. 2016, (Nyquist, 1928; de Cheveigné and Kawahara, 2002)"""
    assert {year for _, year in cited(text)} == {"1927", "1937", "2016", "1928", "2002"}
    assert cited("TensorFlow 2.21, in 44100 Hz, 16 kHz, 2026") == set()


def docstrings():
    for path in sorted((ROOT / "helpers").rglob("*.py")):
        for said in re.findall(r'"""(.*?)"""', path.read_text("utf-8"), re.DOTALL):
            yield path.name, said


def is_listed(who, year):
    """Whether an entry of that year names the author."""
    parts = re.split(r"^## ", TEXTS["references.md"], flags=re.MULTILINE)[1:]
    name = re.compile(rf"\b{re.escape(who.split()[-1])}\b")
    return any(part.split("\n", 1)[0].endswith(year) and name.search(part) for part in parts)


def test_every_source_that_is_named_is_among_the_references():
    named = [(stem, text) for stem in STEMS for text in texts(NOTEBOOKS, stem)]
    found = {(where, *one) for where, text in [*named, *docstrings()] for one in cited(text)}
    assert len(found) > 20
    assert {one for one in found if not is_listed(*one[1:])} == set()
    assert is_listed("Wilson", "1927") and not is_listed("Wilson", "1928")
