"""Parameters: impossible values and misspelt names stop with the right ones."""

from types import SimpleNamespace

import pytest

from helpers import headline, parameters


def test_good_values_pass():
    assert parameters.check(DATASET="auto", SEED=0, EPOCHS=20, BATCH_SIZE=64) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEED", -1),
        ("SEED", 1.5),
        ("SEED", True),
        ("EPOCHS", 0),
        ("EPOCHS", "20"),
        ("BATCH_SIZE", 0),
        ("LEARNING_RATE", 0),
        ("LEARNING_RATE", float("nan")),
        ("DATASET", ""),
        ("DATASET", None),
    ],
)
def test_an_impossible_value_is_named(name, value):
    with pytest.raises(ValueError, match=name):
        parameters.check(**{name: value})


@pytest.fixture
def shell(monkeypatch):
    shell = SimpleNamespace(user_ns={"In": [""]})
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    return shell


def test_a_misspelt_injected_name_lists_the_right_ones(shell):
    shell.user_ns["In"] += ["EPOCHS = 20", "# Parameters\nEPOCH = 5\nSEED = 1\n"]
    with pytest.raises(ValueError, match=r"unknown parameter EPOCH.*EPOCHS, SEED"):
        parameters.check(EPOCHS=20, SEED=1)


def test_rightly_injected_names_pass_and_the_reader_is_told(shell, capsys):
    shell.user_ns["In"] += ["# Parameters\nSEED = 1\n"]
    parameters.check(EPOCHS=20, SEED=1)
    said = capsys.readouterr().out
    assert said == "SEED given: the text reads the committed run.\n"


def test_a_learners_own_names_are_no_parameters(shell):
    shell.user_ns["In"] += ["EPOCH = 5"]
    parameters.check(EPOCHS=20)


def test_headline_is_shown_and_marked(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    headline.show("test accuracy", 0.831234, "<83 %")
    assert shown == [
        {
            headline.MIME: {"name": "test accuracy", "value": 0.8312, "text": "<83 %"},
            "text/plain": "test accuracy: <83 %",
            "text/html": "<b>test accuracy</b>: &lt;83 %",
        }
    ]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_headline_must_be_finite(value):
    with pytest.raises(ValueError, match="finite"):
        headline.show("test accuracy", value, "?")
