"""Link each lesson's words to the glossary, and its sources to the references, at first use.

python tools/glossary.py            write what has changed
python tools/glossary.py --check    say what is out of step, and change nothing

An entry of notebooks/glossary.md or notebooks/references.md is a heading of the second level. Which
words of a lesson mean it stands in a comment below the heading:

    ## leak
    <!-- words: leak(s) @03 05, leaking -->

(s) is an s that may be there; @ names the only lessons in which the word means this. Without a
comment it is the heading, with or without an s. The last line, where it is taught or cited, is
written here, too.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
SHEETS = {"glossary.md": "Taught in", "references.md": "Cited in"}
OURS = re.compile(r"\[([^\][]+)\]\((?:glossary|references)\.md#[^)\s]+\)")
# Where no link may stand: folds, code, formulas, links, tags, addresses, headings.
CLOSED = re.compile(
    r"<details\b.*?</details>|^(?:```|~~~).*?^(?:```|~~~)|\$\$.*?\$\$|<!--.*?-->"
    r"|\$[^$\n]+\$|`[^`]+`|!?\[(?:[^\][]|\[[^\][]*\](?:\([^()]*\))?)*\]"
    r"(?:\((?:[^()]|\([^()]*\))*\))?|<[^>\n]+>|https?://\S+|^ {0,3}#.*?$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Entry:
    """A heading of a sheet, and the words that are to lead to it."""

    sheet: str
    name: str
    words: tuple  # of (word, numbers of the only lessons in which it means this)
    taught: str | None  # the stem of a lesson

    @property
    def anchor(self):
        """As GitHub, Sphinx and (but for capitals) JupyterLab make it of a plain heading."""
        return re.sub(r"[^\w -]", "", self.name.lower()).replace(" ", "-")

    @property
    def address(self):
        return f"{self.sheet}#{self.anchor}"

    def is_named_in(self, text):
        """Whether a reference's first author and year stand near each other."""
        who, year = re.match(r"[\w-]+", self.words[0][0])[0], self.name.split()[-1]
        return re.search(rf"\b{re.escape(who)}\b.{{,60}}\b{year}\b", text) is not None

    def is_in(self, text):
        return any(re.search(rf"(?<!\w){pattern(word)}", text) for word, _ in self.words)


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="another copy of the course")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if needed")
    options = parser.parse_args(argv)
    changed, complaints = update(options.root / "notebooks", write=not options.check)
    print("\n".join([f"  {name}" for name in changed] + complaints) or "All are in step.")
    return int(bool(complaints) or (options.check and bool(changed)))


def update(folder, write=True):
    """Bring lessons and sheets into step: (names of what differs, what only a person can mend)."""
    entries = [e for sheet in SHEETS for e in read((folder / sheet).read_text("utf-8"), sheet)]
    used, titles, spoken, changed = {}, {}, {}, []
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        before = path.read_text("utf-8")
        notebook = nbformat.reads(before, as_version=nbformat.NO_CONVERT)
        titles[path.stem] = re.match(r"# (.*)", notebook.cells[0].source)[1]
        spoken[path.stem] = "\n".join(c.source for c in notebook.cells).lower()
        seen = link(notebook, entries, path.stem[:2])
        said = " ".join(" ".join(cell.source for cell in notebook.cells).split())
        for entry in entries:  # a citation may also lead to its paper by itself
            if entry in seen or (entry.sheet == "references.md" and entry.is_in(said)):
                used.setdefault(entry, []).append(path.stem)
        changed += replace(path, before, nbformat.writes(notebook) + "\n", write)
    behind = terms_of((folder / "glossary.md").read_text("utf-8"))
    code = {
        path.relative_to(folder.parent).as_posix(): " ".join(path.read_text("utf-8").split())
        for path in sorted((folder.parent / "helpers").rglob("*.py"))
    }
    for sheet in SHEETS:
        before = (folder / sheet).read_text("utf-8")
        after = with_lessons(before, sheet, entries, used, titles, behind, code)
        changed += replace(folder / sheet, before, after, write)
    return changed, complaints(entries, used, spoken)


def replace(path, before, after, write):
    if after == before:
        return []
    if write:
        path.write_text(after, encoding="utf-8", newline="\n")
    return [path.name]


def read(text, sheet):
    """The entries of a sheet."""
    entries = []
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        name = part.split("\n", 1)[0].strip()
        listed = re.search(r"<!-- words: (.*?) -->", part, re.DOTALL)
        words = []
        for item in listed[1].split(",") if listed else citations(name, sheet):
            word, *lessons = item.replace("~", ",").split("@")
            words.append((" ".join(word.split()), tuple(lessons[0].split()) if lessons else ()))
        taught = re.search(rf"^{SHEETS[sheet]} \[.*?\]\((\w+)\.ipynb\)", part, re.MULTILINE)
        entries.append(Entry(sheet, name, tuple(words), taught[1] if taught else None))
    return entries


def citations(name, sheet):
    """Words for an entry that lists none: "Wilson 1927" is cited in three ways."""
    if sheet == "glossary.md":
        return [f"{name}(s)"]
    who, year = name.rsplit(" ", 1)  # a ~ stands for a comma, which parts the words
    return [f"{who} {year}", f"{who}~ {year}", f"{who} ({year}"]


def pattern(word):
    """A word, wherever a line may break in it, with a small or capital letter in front."""
    plural = word.endswith("(s)")
    body = r"\s+".join(map(re.escape, word.removesuffix("(s)").split()))
    if word == word.lower() and body[0].isalpha():
        body = f"[{body[0]}{body[0].upper()}]{body[1:]}"
    return body + ("s?" if plural else "")


def link(notebook, entries, number):
    """Link every entry at its first use in a lesson; returns those that were linked, in order."""
    words = {}
    for entry in entries:
        for word, only in entry.words:
            if not only or number in only:
                words.setdefault(word, entry)
    ordered = sorted(words, key=len, reverse=True)
    any_word = "|".join(f"({pattern(word)})" for word in ordered)
    find, seen = re.compile(rf"(?<![\w.-])(?:{any_word})(?![\w-])"), []

    def first(match):
        entry = words[ordered[match.lastindex - 1]]
        if entry in seen:
            return match[0]
        seen.append(entry)
        return f"[{match[0]}]({entry.address})"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = OURS.sub(r"\1", cell.source)
    # Not in the title's cell, in the last one's way on, or in what tools/quiz.py writes.
    for cell in notebook.cells[1:-1]:
        if cell.cell_type == "markdown" and not cell.source.startswith("## Quiz"):
            cell.source = open_parts(cell.source, lambda part: find.sub(first, part))
    return seen


def open_parts(text, change):
    """Change what lies between the places where no link may stand."""
    done, at = [], 0
    for closed in CLOSED.finditer(text):
        done += [change(text[at : closed.start()]), closed[0]]
        at = closed.end()
    return "".join([*done, change(text[at:])])


def terms_of(text):
    """{anchor of a reference: links to the glossary's terms that name it}."""
    found = {}
    parts = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    for entry, part in zip(read(text, "glossary.md"), parts, strict=True):
        for anchor in re.findall(r"\(references\.md#([^)\s]+)\)", part):
            found.setdefault(anchor, []).append(f"[{entry.name}]({entry.address})")
    return found


def with_lessons(text, sheet, entries, used, titles, behind, code):
    """The sheet, with the lessons of each entry, and a reference's terms, in its last line.

    A reference that has neither is followed by the files of the code that name it.
    """
    known = {entry.name: entry for entry in entries if entry.sheet == sheet}
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    lead, done = SHEETS[sheet], [head]
    for part in parts:
        entry = known[part.split("\n", 1)[0].strip()]
        stems = used.get(entry, [])
        if entry.taught and sheet == "glossary.md":
            stems = [entry.taught, *(stem for stem in stems if stem != entry.taught)]
        ours = (f"{lead} [", "Behind [", "Used in `")
        body = "\n".join(li for li in part.splitlines() if not li.startswith(ours)).rstrip()
        last = [shown(lead, stems, titles)]
        if sheet == "references.md" and entry.anchor in behind:
            last.append(f"Behind {', '.join(behind[entry.anchor])}.")
        elif sheet == "references.md" and not stems:
            files = [f"`{name}`" for name, said in code.items() if entry.is_named_in(said)]
            last.append(f"Used in {', '.join(files)}." if files else "")
        done.append(f"{body}\n\n{' '.join(last).strip()}".rstrip() + "\n\n")
    return "## ".join(done).rstrip() + "\n"


def shown(lead, stems, titles):
    """Taught in [01 · Waveforms](01_waveforms.ipynb); met in [02](02_spectrograms.ipynb)."""
    if not stems:
        return ""
    first, *more = stems
    said = f"{lead} [{titles.get(first, first)}]({first}.ipynb)"
    also = ", ".join(f"[{stem[:2]}]({stem}.ipynb)" for stem in more)
    return f"{said}{'; met in ' if also and lead == 'Taught in' else ', ' if also else ''}{also}."


def complaints(entries, used, spoken):
    """What only a person can mend: a term whose lesson is not there, or does not know it."""
    say = []
    for entry in entries:
        if entry.sheet != "glossary.md":
            continue
        forms = [word.removesuffix("(s)").lower() for word, _ in entry.words]
        forms += [form.replace(" ", "_") for form in forms]  # as a helper is called
        if entry.taught not in spoken:
            say.append(f"{entry.name}: no lesson {entry.taught}")
        elif entry.taught not in used.get(entry, []) and not any(
            form in spoken[entry.taught] for form in forms
        ):
            say.append(f"{entry.name}: {entry.taught} does not know the word")
    return say


if __name__ == "__main__":
    sys.exit(main())
