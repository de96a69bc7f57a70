"""The lessons' six questions: well made, one with their notebooks, and whole in other systems."""

import copy
import html
import re
import shutil
from collections import Counter

import lessons
import nbformat
import nbformat.v4 as nbf
import pytest
import quiz
import report
from bs4 import BeautifulSoup
from lessons import PATHS, ROOT, STEMS
from markdown_it import MarkdownIt

FILES = sorted((ROOT / "tools" / "quizzes").glob("*.yaml"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
GOOD = """\
- question: {question}
  options:
    - right: {right}
      why: For a reason.
    - wrong: Not so
      why: There is another.
    - wrong: Nor so
      why: And a third.
"""


def text_of(*numbers):
    return "".join(GOOD.format(question=f"Is it {n}?", right=f"It is {n}") for n in numbers)


@pytest.fixture
def six(tmp_path):
    """Six questions without fault, as a file and as read."""
    path = tmp_path / "00.yaml"
    path.write_text(text_of(*"abcdef"), encoding="utf-8")
    return path


def test_every_lesson_has_questions():
    assert [path.stem for path in FILES] == [stem[:2] for stem in STEMS]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_notebook_is_one_with_its_questions(path):
    questions = quiz.read(ROOT / "tools" / "quizzes" / f"{path.stem[:2]}.yaml")
    in_step = quiz.renewed(path, questions) is None
    assert in_step, "run: python tools/quiz.py"


# ---- the craft of questions


def giveaways(questions):
    """What would tell the right answer to somebody who has not understood the lesson."""
    say, places, longest = [], Counter(), 0
    for n, question in enumerate(questions, 1):
        lengths = [len(option.text) for option in question.options]
        at = [option.right for option in question.options].index(True)
        places[at] += 1
        longest += lengths[at] == max(lengths)
        if max(lengths) > 1.4 * min(lengths) + 5:
            say.append(f"question {n}: options of {lengths} characters")
    if max(places.values()) > 2:
        say.append("three right answers stand in the same place")
    if longest > 3:
        say.append(f"the right answer is the longest in {longest} of {len(questions)}")
    return say


@each_file
def test_nothing_but_understanding_tells_the_right_answer(path):
    assert giveaways(quiz.read(path)) == []


def test_giveaways_are_found():
    def questions(places, right="Yes, for this", wrong="No, for that one"):
        made = []
        for place in places:
            options = [quiz.Option(f"{wrong} {n}", f"{n}", False) for n in range(4)]
            options[place] = quiz.Option(right, "it is", True)
            made.append(quiz.Question("Is it?", tuple(options)))
        return made

    assert giveaways(questions([0, 1, 2, 3, 0, 1])) == []
    assert "same place" in " ".join(giveaways(questions([0, 1, 0, 0, 2, 3])))
    assert "longest" in " ".join(giveaways(questions([0, 1, 2, 3, 0, 1], "No, it is this one not")))
    assert "characters" in " ".join(giveaways(questions([0, 1, 2, 3, 0, 1], "Yes")))


# ---- the rules of the files


def test_a_good_file_is_read(six):
    questions = quiz.read(six)
    assert [question.text for question in questions] == [f"Is it {n}?" for n in "abcdef"]
    assert questions[1].options[0] == quiz.Option("It is b", "For a reason.", True)
    assert [option.right for option in questions[5].options] == [True, False, False]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- question: Is it f?", "- question: Is it a?", r"question 6 is the same as 1"),
        ("- question: Is it f?", "- question: is  it A?", r"question 6 is the same as 1"),
        ("- question: Is it b?", "- questoin: Is it b?", r"question 2: .*options and question"),
        ("- question: Is it b?", "- question: ''", r"question 2, its text: it is empty"),
        ("right: It is c", "wrong: It is c", r"question 3: exactly one .* not 0"),
        ("right: It is c", "right: Not so", r"question 3: option 2 is the same as 1"),
        ("right: It is d", "right: 16", r"question 4, option 1, its text: .*not 16"),
        ("right: It is d", "right: yes", r"question 4, option 1, its text: .*not True"),
        ("right: It is d", "true: It is d", r"question 4, option 1: .*right and why"),
        ("right: It is d", "right: It is d\n      why: Twice.", r"line 27: `why` stands twice"),
        ("right: It is d", "right: It is <b>d</b>", r"question 4, option 1.*no HTML"),
        ("right: It is d", "right: It is $d$", r"question 4, option 1.*no \$"),
        ("right: It is d", "right: It is: d", r"00\.yaml is no YAML"),
    ],
)
def test_a_broken_file_is_refused_in_words(six, old, new, message):
    text = six.read_text(encoding="utf-8")
    assert text.count(old) == 1
    six.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(quiz.QuizError, match=message):
        quiz.read(six)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("For a reason.", "", r"question 1, option 1, why: text is wanted, not None"),
        ("For a reason.", "' '", r"question 1, option 1, why: it is empty"),
        ("why: For a reason.", "", r"question 1, option 1: it must hold"),
        ("For a reason.", "There is another.", r"question 1: reason of option 2 is the same as 1"),
        ("wrong: Not so", "right: Not so", r"question 1: exactly one .* not 2"),
        ("    - wrong: Nor so\n      why: And a third.\n", "", r"question 1: three or four"),
        (
            "    - wrong: Nor so\n",
            "    - wrong: X\n      why: Y\n    - wrong: Z\n      why: W\n    - wrong: Nor so\n",
            r"question 1: three or four",
        ),
    ],
)
def test_a_broken_question_is_refused_in_words(six, old, new, message):
    text = six.read_text(encoding="utf-8")
    six.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(quiz.QuizError, match=message):
        quiz.read(six)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (text_of(*"abcde"), "6 questions are wanted, it holds 5"),
        (text_of(*"abcdefg"), "6 questions are wanted, it holds 7"),
        ("question: one", "6 questions are wanted, it holds no list"),
        ("", "6 questions are wanted, it holds no list"),
    ],
)
def test_another_number_of_questions_is_refused(six, text, message):
    six.write_text(text, encoding="utf-8")
    with pytest.raises(quiz.QuizError, match=message):
        quiz.read(six)


# ---- into the notebook


@pytest.fixture
def course(tmp_path):
    """A copy of two lessons, without a quiz, and of their questions."""
    for folder in ("notebooks", "tools/quizzes"):
        (tmp_path / folder).mkdir(parents=True)
    for path in (PATHS[0], PATHS[-1]):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells = [cell for cell in notebook.cells if cell.id != quiz.CELL]
        copied = tmp_path / "notebooks" / path.name
        copied.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        shutil.copy(
            ROOT / "tools" / "quizzes" / f"{path.stem[:2]}.yaml", tmp_path / "tools/quizzes"
        )
    return tmp_path


def run(course, *arguments):
    return quiz.main(["--root", str(course), *arguments])


def test_a_quiz_comes_before_the_recap_and_no_other_byte_changes(course, capsys):
    paths = sorted(course.glob("notebooks/*.ipynb"))
    before = [path.read_text(encoding="utf-8") for path in paths]
    assert run(course, "--check") == 1
    assert [path.read_text(encoding="utf-8") for path in paths] == before
    assert capsys.readouterr().out.count("out of step") == 2
    assert run(course) == 0
    for path, text in zip(paths, before):
        cells = nbformat.read(path, as_version=4).cells
        at = [cell.id for cell in cells].index("quiz")
        assert cells[at].cell_type == "markdown" and cells[at + 1].source.startswith("## Recap")
        added = re.search(
            r'  \{\n   "cell_type": "markdown",\n   "id": "quiz".*?\n  \},\n',
            path.read_text(encoding="utf-8"),
            re.DOTALL,
        )
        assert path.read_text(encoding="utf-8").replace(added[0], "", 1) == text
    assert run(course, "--check") == 0 and run(course) == 0
    assert "2 of 2 lessons were in step" in capsys.readouterr().out


def test_one_lesson_by_its_number(course, capsys):
    assert run(course, "00") == 0 and run(course, "--check", "00") == 0
    assert run(course, "--check") == 1
    assert run(course, "77") == 2
    assert "quiz.py: 77: no such lesson; there are: 00, " in capsys.readouterr().err


def test_a_fault_in_one_file_leaves_every_notebook_as_it_was(course, capsys):
    paths = sorted(course.glob("notebooks/*.ipynb"))
    before = [path.read_bytes() for path in paths]
    last = sorted(course.glob("tools/quizzes/*.yaml"))[-1]
    last.write_text(text_of(*"abc"), encoding="utf-8")
    assert run(course) == 2 and [path.read_bytes() for path in paths] == before
    assert f"quiz.py: {last.name}: 6 questions are wanted" in capsys.readouterr().err


@pytest.fixture
def notebook(six):
    cells = ["# 00 · Toy", "Look.", "## Recap\n\nIt was a toy.", "**Next:** more"]
    made = nbf.new_notebook(cells=[nbf.new_markdown_cell(source) for source in cells])
    quiz.place(made, quiz.read(six))
    return made


def sources(notebook):
    return [cell.source.splitlines()[0] for cell in notebook.cells]


def test_a_quiz_that_was_moved_doubled_or_lost_its_id_is_put_right(notebook, six):
    wanted = ["# 00 · Toy", "Look.", "## Quiz", "## Recap", "**Next:** more"]
    assert sources(notebook) == wanted
    moved, doubled, renamed, edited = (copy.deepcopy(notebook) for _ in range(4))
    moved.cells.append(moved.cells.pop(2))
    doubled.cells.insert(1, nbf.new_markdown_cell("## Quiz\n\nAn old one."))
    renamed.cells[2]["id"] = "a1b2c3"  # jupytext gives new ones
    edited.cells[2].source = "## Questions\n\nEdited in the notebook."
    for broken in (moved, doubled, renamed, edited):
        assert broken != notebook
        quiz.place(broken, quiz.read(six))
        assert broken == notebook


def test_a_notebook_without_a_place_for_it_is_refused(notebook, six):
    notebook.cells[3].source = "The end."
    with pytest.raises(quiz.QuizError, match="no recap"):
        quiz.place(notebook, quiz.read(six))
    notebook.cells[3].source, notebook.nbformat_minor = "## Recap", 4
    with pytest.raises(quiz.QuizError, match="without cell ids"):
        quiz.place(notebook, quiz.read(six))


# ---- as readers see it


def by_nbconvert(text):
    renderer = report.Renderer(escape=False, path=ROOT, attachments={}, anchor_link_text="")
    return report.MarkdownWithMath(renderer=renderer).render(text)


RENDERERS = {
    "nbconvert": by_nbconvert,
    "CommonMark": MarkdownIt("commonmark").render,  # as GitHub, and the book by way of MyST
}


def plain(text):
    """The letters of some HTML, for two renderers seldom agree on spaces."""
    return "".join(BeautifulSoup(text, "html.parser").get_text().split())


@pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
@each_file
def test_every_option_folds_its_reason_and_nothing_else(path, render):
    questions = quiz.read(path)
    soup = BeautifulSoup(render(quiz.markdown(questions)), "html.parser")
    options = [option for question in questions for option in question.options]
    folds = soup.find_all("details")
    assert len(folds) == len(options) and not any(fold.has_attr("open") for fold in folds)
    for fold, option in zip(folds, options):
        assert plain(str(fold.summary)) in (
            f"{letter}.{plain(quiz.inline(option.text))}" for letter in "ABCD"
        )
        verdict = "✓Right." if option.right else "✗No."
        assert [plain(str(p)) for p in fold.find_all("p")] == [
            f"{verdict}{plain(quiz.inline(option.why))}"
        ]
        assert not fold.find(["details", "pre"])
        fold.decompose()
    left = plain(str(soup))
    for n, question in enumerate(questions, 1):
        assert f"{n}.{plain(quiz.block(question.text))}" in left
    assert not any(sign in left for sign in ("~~~", "**", "`"))


def test_a_summary_is_html_for_markdown_is_not_read_there():
    marked = "`a<b>[0]` is *not* **so**, R&D, 2 * 3 * 4"
    assert quiz.inline(marked) == (
        "<code>a&lt;b&gt;[0]</code> is <em>not</em> <strong>so</strong>, R&amp;D, 2 * 3 * 4"
    )


def test_no_question_is_taken_for_the_solution_of_an_exercise():
    for path in FILES:
        assert not lessons.SOLUTION.search(quiz.markdown(quiz.read(path)))


# ---- as GIFT


def imported(text):
    """What Moodle's qformat_gift makes of a file: {title: (question, {answer: (share, why)})}.

    As there: blank lines part the questions, escaped signs become entities before anything else is
    looked at, the first `{` and the last `}` hold the answers, and `~` and `=` begin one each.
    """
    signs = {r"\:": "&&058;", r"\#": "&&035;", r"\=": "&&061;", r"\{": "&&123;", r"\}": "&&125;",
             r"\~": "&&126;", r"\n": "&&010"}  # fmt: skip
    back = {entity: sign[1].replace("n", "\n") for sign, entity in signs.items()}

    def pre(text):
        text = text.replace("\\\\", "&&092;")
        for sign, entity in signs.items():
            text = text.replace(sign, entity)
        return text

    def post(text):
        for entity, sign in back.items():
            text = text.replace(entity, sign)
        return text.replace("&&092;", "\\").strip()

    found = {}
    for part in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in part.splitlines() if not line.startswith("//")]
        part = pre("\n".join(lines).strip())
        if not part or part.startswith("$CATEGORY:"):
            continue
        _, title, rest = part.split("::", 2)
        begin, end = rest.index("{"), rest.rindex("}")
        question, answers = rest[:begin], rest[begin + 1 : end]
        assert question.startswith("[html]") and "{" not in answers and "}" not in answers
        given = {}
        for answer in filter(None, answers.strip().replace("=", "~=").split("~")):
            share = 1 if answer.startswith("=") else 0
            said, why = answer.removeprefix("=").split("#", 1)
            assert not re.match(r"\s*%-?\d", said), "a weight"
            given[post(said)] = share, post(why)
        found[title] = post(question.removeprefix("[html]")), given
    return found


def expected(number, questions):
    return {
        f"{number}.{n}": (
            quiz.block(question.text),
            {
                quiz.inline(option.text): (int(option.right), quiz.inline(option.why))
                for option in question.options
            },
        )
        for n, question in enumerate(questions, 1)
    }


def test_gift_gives_back_every_question(tmp_path, capsys):
    assert quiz.main(["--gift", str(tmp_path / "all.gift")]) == 0
    assert f"{6 * len(FILES)} questions" in capsys.readouterr().out
    found = imported((tmp_path / "all.gift").read_text(encoding="utf-8"))
    wanted = {}
    for path in FILES:
        wanted |= expected(path.stem, quiz.read(path))
    assert found == wanted and len(found) == 6 * len(FILES)


def test_gift_of_one_lesson_with_its_title(tmp_path):
    assert quiz.main(["00", "--gift", str(tmp_path / "one.gift")]) == 0
    text = (tmp_path / "one.gift").read_text(encoding="utf-8")
    assert text.startswith("$CATEGORY: Barks & Meows/00 · ") and len(imported(text)) == 6


def test_signs_that_gift_reads_as_its_own_come_back():
    awkward = r"a\b ~ = # {x: 1} :: \n -> // `y = {2}` *z*"
    options = [quiz.Option(f"{n} {awkward}", f"{awkward} {n}", n == 1) for n in range(3)]
    options.append(quiz.Option("%50% of them", "a share", False))
    question = quiz.Question(
        f"{awkward}\n\n~~~python\nx = {{1: 2}}\n\nprint(~x)\n~~~\n\nWhy?", options
    )
    text = quiz.gift("01 · In/Out", [question])
    assert text.startswith("$CATEGORY: Barks & Meows/01 · In//Out\n\n")
    asked, answers = imported(text)["01.1"]
    assert asked == quiz.block(question.text)
    assert "<pre>x = {1: 2}\n\nprint(~x)\n</pre><p>Why?</p>" in asked
    last = list(answers)[-1]
    assert (last, html.unescape(last)) == ("&#37;50% of them", "%50% of them")
    assert {said: given for said, given in answers.items() if said != last} == {
        quiz.inline(option.text): (int(option.right), quiz.inline(option.why))
        for option in options[:3]
    }


def test_code_between_fences_and_paragraphs_become_html():
    assert quiz.block("One\nline.\n\nTwo *lines*.") == "<p>One line.</p><p>Two <em>lines</em>.</p>"
    assert quiz.block("~~~\nx < 1\n~~~") == "<pre>x &lt; 1\n</pre>"
