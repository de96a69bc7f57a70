"""Count each lesson: cells, lines, words, exercises, and the minutes that it takes.

python tools/lesson_table.py           print the table
python tools/lesson_table.py --write   write it into TEACHING.md, and the sums of hours there and
                                       in the README
"""

import argparse
import math
import re
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
WORDS, LINES = 200, 20  # read in a minute: of text, and of code
EXERCISE, QUESTION, PREDICTION = 10, 2, 1  # minutes each; a quiz's words are in its questions
HEAD = (
    *("lesson", "cells", "median", "longest", "words", "exercises", "questions", "predictions"),
    *("text", "run", "read and run", "all"),
)
TABLE = re.compile(r"(<!-- lesson table -->\n).*?(<!-- end -->)", re.DOTALL)
SUM = re.compile(r"(<!-- hours (read|all) ([\d -]+) -->).*?(<!-- end -->)")


@dataclass(frozen=True)
class Count:
    """What one lesson holds; `run` is in minutes."""

    number: str
    title: str
    cells: int
    median: float
    longest: int
    lines: int
    words: int
    exercises: int
    questions: int
    predictions: int
    run: float

    @property
    def reading(self):
        """Minutes to read the text alone."""
        return self.words / WORDS

    @property
    def reading_all(self):
        """Minutes to read text and code, to predict, and to wait for the cells."""
        return self.reading + self.lines / LINES + PREDICTION * self.predictions + self.run

    @property
    def minutes(self):
        """Minutes of everything."""
        return self.reading_all + EXERCISE * self.exercises + QUESTION * self.questions


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="another copy of the course")
    parser.add_argument("--write", action="store_true", help="write TEACHING.md, README.md")
    options = parser.parse_args(argv)
    counts = of_course(options.root)
    print(table(counts))
    if options.write:
        for page in (options.root / "TEACHING.md", options.root / "README.md"):
            text = renewed(page.read_text("utf-8"), counts)
            page.write_text(text, encoding="utf-8", newline="\n")
    return 0


def of_course(root):
    paths = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [count(nbformat.read(path, as_version=4), path.stem[:2]) for path in paths]


def count(notebook, number):
    """Count one lesson; its setup cell, which is the same everywhere, is left out of the lines."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    code = [
        sum(map(bool, map(str.strip, cell.source.splitlines())))  # an empty line takes no time
        for cell, tagged in zip(notebook.cells, tags)
        if cell.cell_type == "code" and cell.source.strip() and "setup" not in tagged
    ]
    whole = "\n\n".join(texts)
    quiz = "\n".join(text for text in texts if text.startswith("## Quiz"))
    said = re.search(r"([\d.]+) (s|min)\w* to run", texts[0])
    return Count(
        number=number,
        title=re.match(r"# (?:\d\d · )?(.*)", texts[0])[1],
        cells=len(notebook.cells),
        median=statistics.median(code) if code else 0,
        longest=max(code, default=0),
        lines=sum(code),
        words=sum(len(words(text)) for text in texts if not text.startswith("## Quiz")),
        exercises=sum("exercise" in tagged for tagged in tags),
        questions=len(re.findall(r"^\*\*\d+\.\*\* ", quiz, re.MULTILINE)),
        predictions=len(re.findall(r"\*\*Predict first", whole)),
        run=float(said[1]) / (60 if said[2] == "s" else 1) if said else 0.0,
    )


def words(text):
    """The words that a reader meets: no addresses, tags or formulas, no code of a solution."""
    text = re.sub(r"<summary>[^<]*solution.*?</details>", "", text, flags=re.DOTALL | re.I)
    text = re.sub(r"```.*?```|<!--.*?-->|\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text = re.sub(r"\]\((?:[^()]|\([^()]*\))*\)", "", text)  # a word may go on: [frame](...)'s
    text = re.sub(r"<[^>\n]+>", " ", text)
    return re.findall(r"\w[\w.,'’-]*", text)


def table(counts):
    """The table in Markdown, with a last row of sums."""
    rows = [
        (
            *(f"{c.number} · {c.title}", c.cells, f"{c.median:g}", c.longest, f"{c.words:,}"),
            *(c.exercises, c.questions, c.predictions, math.ceil(c.reading), f"{c.run:.1f}"),
            *(math.ceil(c.reading_all), math.ceil(c.minutes)),
        )
        for c in counts
    ]
    sums = (
        *("all", sum(c.cells for c in counts), "", max(c.longest for c in counts)),
        *(f"{sum(c.words for c in counts):,}", sum(c.exercises for c in counts)),
        *(sum(c.questions for c in counts), sum(c.predictions for c in counts)),
        *(math.ceil(sum(c.reading for c in counts)), f"{sum(c.run for c in counts):.1f}"),
        *(math.ceil(sum(getattr(c, of) for c in counts)) for of in ("reading_all", "minutes")),
    )
    lines = [HEAD, ("---", *["--:"] * (len(HEAD) - 1)), *rows, sums]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def renewed(page, counts):
    """A page with the table and the sums of today's lessons.

    A sum stands as <!-- hours all 00 02-04 -->3.5 h<!-- end -->: of these lessons, everything, or
    without exercises and quizzes where it says read.
    """

    def hours(match):
        minutes = 0.0
        for part in match[3].split():
            first, _, last = part.partition("-")
            chosen = [c for c in counts if int(first) <= int(c.number) <= int(last or first)]
            if not chosen:
                raise ValueError(f"no lesson {part}, of which the page has hours")
            minutes += sum(c.reading_all if match[2] == "read" else c.minutes for c in chosen)
        return f"{match[1]}{math.ceil(2 * minutes / 60) / 2:g} h{match[4]}"

    page = TABLE.sub(lambda match: f"{match[1]}{table(counts)}\n{match[2]}", page)
    return SUM.sub(hours, page)


if __name__ == "__main__":
    sys.exit(main())
