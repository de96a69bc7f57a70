"""The examples in docstrings run and give what they say."""

import doctest
from importlib import import_module

import numpy as np
import pytest
from test_thin import MODULES

WITH_EXAMPLES = [name for name, text in MODULES.items() if ">>>" in text]


def examples(module):
    """The doctests of a module; `np` is at hand in each."""
    return [
        test
        for test in doctest.DocTestFinder().find(module, extraglobs={"np": np})
        if test.examples
    ]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples_give_what_they_say(name):
    found = examples(import_module(f"helpers.{name}"))
    assert found
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said = []
    for test in found:
        runner.run(test, out=said.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def test_an_example_that_is_wrong_is_found():
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    assert doctest.DocTestRunner().run(test, out=lambda _: None).failed == 1
