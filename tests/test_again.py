"""A cell can be run again later: no cell below has put another thing under a name that it reads."""

import dis

import lessons
import nbformat.v4 as nbf
import pytest
from lessons import PATHS

GROWS = {"04_train_cnn": {"recipe"}}  # each rung of the ladder adds to the one before: meant so


def names(cell):
    """The names that a code cell reads before it sets them, and those that it sets."""
    read, written = set(), set()

    def follow(code, outermost):
        for step in dis.get_instructions(code):
            if step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                read.update({step.argval} - written)
            elif step.opname == "STORE_NAME" and outermost:
                written.add(step.argval)
            elif hasattr(step.argval, "co_code"):  # a function's body, or a loop in brackets
                follow(step.argval, outermost=False)

    follow(compile(lessons.tree(cell), "cell", "exec"), outermost=True)
    return read, written


def redefined(cells):
    """[(a name, number of a cell that reads it from above, number of one below that sets it)]"""
    found, all_names = [], [names(cell) for cell in cells]
    for at, (read, _) in enumerate(all_names):
        above = set().union(*(written for _, written in all_names[:at]))
        for later, (_, written) in enumerate(all_names[at + 1 :], at + 1):
            found += [(name, at, later) for name in sorted(read & above & written)]
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_no_cell_takes_a_name_that_one_above_reads(path):
    lesson = lessons.read(path)
    found = redefined(lesson.code)
    assert [one for one in found if one[0] not in GROWS.get(lesson.stem, ())] == []


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["x = 1", "print(x)", "x = 2"], [("x", 1, 2)]),
        (["x = 1", "def f():\n    return x", "for x in range(3): pass"], [("x", 1, 2)]),
        (["x = 1", "[x * y for y in range(3)]", "import x"], [("x", 1, 2)]),
        (["x = 1", "x = x + 1"], []),  # nothing below
        (["x = 1", "x = 2\nprint(x)", "x = 3"], []),  # it sets its own
        (["x = 1", "[x for x in range(3)]", "f = lambda x: x", "x = 2"], []),
    ],
)
def test_a_name_that_a_later_cell_takes_is_found(cells, found):
    assert redefined([nbf.new_code_cell(source) for source in cells]) == found
