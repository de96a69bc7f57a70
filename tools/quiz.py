"""Put each lesson's six questions, from tools/quizzes, into its notebook; check or export them.

python tools/quiz.py                   write them into all notebooks
python tools/quiz.py 01 05             into some
python tools/quiz.py --check           only say which notebooks are out of step
python tools/quiz.py --gift quiz.gift  export them as GIFT, which Moodle and others import
"""

import argparse
import html
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = 6
CELL = "quiz"  # the id of the cell in every notebook
OPENING = """\
## Quiz

Six questions on the ideas of this lesson. Settle on one answer before you unfold it: each says why
it is right or wrong. Nobody counts."""
RECAP = re.compile(r"^#+ .*recap", re.MULTILINE | re.IGNORECASE)  # as tests/test_hygiene.py has it
FENCE = re.compile(r"^~~~\w*\n(.*?)^~~~$", re.MULTILINE | re.DOTALL)


class QuizError(ValueError):
    """Questions that break a rule, or a lesson that has no place for them."""


@dataclass(frozen=True)
class Option:
    """One answer: its text and why it is right or wrong, in Markdown of a paragraph each."""

    text: str
    why: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question, in Markdown, and its three or four options."""

    text: str
    options: tuple


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("lessons", nargs="*", metavar="NN", help="lessons by number, else all")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="change nothing; status 1 if out of step")
    way.add_argument("--gift", type=Path, metavar="FILE", help="write GIFT, change no notebook")
    parser.add_argument("--root", type=Path, default=ROOT, help="another copy of the course")
    arguments = parser.parse_args(argv)
    try:
        quizzes = collect(arguments.root, arguments.lessons)
        if arguments.gift:
            text = "\n".join(gift(title_of(path), each) for path, each in quizzes.items())
            arguments.gift.write_text(text, encoding="utf-8", newline="\n")
            print(f"{arguments.gift}: {sum(map(len, quizzes.values()))} questions")
            return 0
        changed = {path: text for path, each in quizzes.items() if (text := renewed(path, each))}
    except (QuizError, OSError) as error:
        print(f"quiz.py: {error}", file=sys.stderr)
        return 2
    for path, text in changed.items():
        if not arguments.check:
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.name}: {'out of step with its questions' if arguments.check else 'renewed'}")
    print(f"{len(quizzes) - len(changed)} of {len(quizzes)} lessons were in step")
    return int(arguments.check and bool(changed))


def collect(root, numbers=()):
    """{notebook: its questions} of the lessons that have some, or of those with these numbers."""
    notebooks = {path.name[:2]: path for path in root.glob("notebooks/[0-9][0-9]_*.ipynb")}
    sources = {path.stem: path for path in root.glob("tools/quizzes/*.yaml")}
    for number in sorted({*numbers, *sources}):
        for what, known in (("lesson", notebooks), ("file of questions", sources)):
            if number not in known:
                raise QuizError(f"{number}: no such {what}; there are: {', '.join(sorted(known))}")
    return {notebooks[number]: read(sources[number]) for number in sorted(numbers or sources)}


# ---- reading


class Loader(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error; PyYAML would drop the first silently."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            line = node.start_mark.line + 1
            raise QuizError(f"{Path(self.name).name}, from line {line}: `{twice}` stands twice")
        return super().construct_mapping(node, deep)


def read(path):
    """The questions of one file.

    Raises:
        QuizError: the file is no YAML or breaks a rule; it names the file, the question and the
            option, each counted from 1.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            entries = yaml.load(stream, Loader)
    except yaml.YAMLError as error:
        raise QuizError(f"{path.name} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(entries, list) or len(entries) != QUESTIONS:
        n = f"{len(entries)} entries" if isinstance(entries, list) else "no list"
        raise QuizError(f"{path.name}: {QUESTIONS} questions are wanted, it holds {n}")
    questions = [
        _question(entry, f"{path.name}, question {n}") for n, entry in enumerate(entries, 1)
    ]
    _no_double([question.text for question in questions], f"{path.name}: question")
    return questions


def _question(entry, where):
    _keys(entry, [{"question", "options"}], where)
    options = entry["options"]
    if not isinstance(options, list) or not 3 <= len(options) <= 4:
        raise QuizError(f"{where}: three or four options are wanted")
    options = tuple(_option(each, f"{where}, option {n}") for n, each in enumerate(options, 1))
    right = sum(option.right for option in options)
    if right != 1:
        raise QuizError(f"{where}: exactly one option must be right, not {right}")
    _no_double([option.text for option in options], f"{where}: option")
    _no_double([option.why for option in options], f"{where}: reason of option")
    return Question(_text(entry["question"], f"{where}, its text", "\n"), options)


def _option(entry, where):
    _keys(entry, [{"right", "why"}, {"wrong", "why"}], where)
    verdict = "right" if "right" in entry else "wrong"
    text, why = _text(entry[verdict], f"{where}, its text"), _text(entry["why"], f"{where}, why")
    return Option(text, why, verdict == "right")


def _keys(entry, allowed, where):
    if not isinstance(entry, dict) or set(entry) not in allowed:
        wanted = ", or ".join(" and ".join(sorted(keys)) for keys in allowed)
        raise QuizError(f"{where}: it must hold {wanted}, and nothing else")


def _text(value, where, lines=" "):
    if not isinstance(value, str):
        raise QuizError(f"{where}: text is wanted, not {value!r}; put numbers and yes in quotes")
    if not value.strip():
        raise QuizError(f"{where}: it is empty")
    if "```" in value or "$" in value or re.search(r"<[a-zA-Z/!]", value):
        raise QuizError(f"{where}: fence code by ~~~, and use no $ and no HTML")
    return value.strip() if lines == "\n" else lines.join(value.split())


def _no_double(texts, where):
    plain = [" ".join(text.casefold().split()) for text in texts]
    for n, text in enumerate(plain):
        if text in plain[:n]:
            raise QuizError(f"{where} {n + 1} is the same as {plain.index(text) + 1}")


# ---- into the notebook


def renewed(path, questions):
    """The notebook's text with these questions, or None if it has them already."""
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    place(notebook, questions, path.name)
    after = nbformat.writes(notebook) + ("\n" if text.endswith("\n") else "")
    return None if after == text else after


def place(notebook, questions, name="the notebook"):
    """Put the questions before the recap, in place of those that are there; change nothing else.

    An editor may have lost the cell's id, so that the heading tells the cell, too.
    """
    heading = OPENING.splitlines()[0]
    cells = [
        cell
        for cell in notebook.cells
        if not (cell.cell_type == "markdown" and cell.source.split("\n")[0].strip() == heading)
        and cell.get("id") != CELL
    ]
    found = [n for n, c in enumerate(cells) if c.cell_type == "markdown" and RECAP.search(c.source)]
    if not found:
        raise QuizError(f"{name} has no recap, before which its questions would stand")
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        raise QuizError(f"{name} is of a format without cell ids: save it anew in JupyterLab")
    quiz = nbformat.v4.new_markdown_cell(markdown(questions), id=CELL)
    notebook.cells = [*cells[: found[-1]], quiz, *cells[found[-1] :]]


def markdown(questions):
    """A cell of folded answers that GitHub, Colab, JupyterLab and Sphinx all show alike."""
    parts = [OPENING]
    for n, question in enumerate(questions, 1):
        gap = ["<br>"] if n > 1 else []  # a fold has no margin of its own
        parts += [*gap, f"**{n}.** {question.text}"]
        for letter, option in zip("ABCD", question.options):
            verdict = "✓ **Right.**" if option.right else "✗ **No.**"
            parts += [
                f"<details><summary>{letter}. {inline(option.text)}</summary>",
                f"{verdict} {option.why}",
                "</details>",
            ]
    return "\n\n".join(parts)


def inline(text):
    """HTML of one line of Markdown: code, strong and emphasis, for Markdown sleeps in a summary."""
    parts = re.split(r"`([^`]+)`", text)
    for n, part in enumerate(parts):
        part = html.escape(part, quote=False)
        if n % 2:
            parts[n] = f"<code>{part}</code>"
        else:
            part = re.sub(r"\*\*(?=\S)(.+?)(?<=\S)\*\*", r"<strong>\1</strong>", part)
            parts[n] = re.sub(r"\*(?=\S)(.+?)(?<=\S)\*", r"<em>\1</em>", part)
    return "".join(parts)


# ---- out to other systems


def gift(title, questions):
    """A category of questions in GIFT, https://docs.moodle.org/en/GIFT_format, texts in HTML."""
    number = title[:2]
    lines = [f"$CATEGORY: Barks & Meows/{title.replace('/', '//')}", ""]
    for n, question in enumerate(questions, 1):
        lines.append(f"::{number}.{n}::[html]{escaped(block(question.text))} {{")
        for option in question.options:
            text, why = escaped(inline(option.text)), escaped(inline(option.why))
            lines.append(f"\t{'=' if option.right else '~'}{text} # {why}")
        lines += ["}", ""]
    return "\n".join(lines)


def block(text):
    """HTML of some paragraphs of Markdown and code between ~~~."""
    parts = FENCE.split(text)
    for n, part in enumerate(parts):
        if n % 2:
            parts[n] = f"<pre>{html.escape(part, quote=False)}</pre>"
        else:
            paragraphs = re.split(r"\n\s*\n", part.strip())
            parts[n] = "".join(f"<p>{inline(' '.join(p.split()))}</p>" for p in paragraphs if p)
    return "".join(parts)


def escaped(text):
    """Text in which GIFT finds none of its own signs; a line's end would end the question."""
    text = re.sub(r"[\\~=#{}:]", r"\\\g<0>", text).replace("\n", r"\n")
    return re.sub(r"^%", r"&\#37;", text)  # at the start of an answer it would be its weight


def title_of(path):
    """A lesson's title without its hash, such as "01 · Waveforms"."""
    first = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells[0].source
    return first.splitlines()[0].removeprefix("# ").strip()


if __name__ == "__main__":
    sys.exit(main())
