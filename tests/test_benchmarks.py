"""What the README says was measured is what the results hold."""

import json

from helpers.datasets import ROOT

RESULTS = json.loads(
    (ROOT / "benchmarks" / "results" / "synthetic_to_real.json").read_text("utf-8")
)


def test_the_readme_quotes_the_results():
    readme = (ROOT / "README.md").read_text("utf-8")
    for figure in (RESULTS["mean"], RESULTS["minimum"]):
        assert f"**{100 * figure:.1f} %**" in readme
    assert f"the {RESULTS['tested on'].split()[0]} real recordings" in readme


def test_the_results_are_nine_trainings_and_their_summary():
    figures = [run["balanced_accuracy"] for run in RESULTS["runs"]]
    assert len({(run["draw"], run["seed"]) for run in RESULTS["runs"]}) == 9
    assert RESULTS["minimum"] == min(figures)
    assert abs(RESULTS["mean"] - sum(figures) / 9) < 1e-4
