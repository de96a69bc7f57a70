"""The results as tables and a picture, in benchmarks/README.md and in the README.

Text between the markers <!-- measured NAME --> and <!-- end --> is written by this program from
benchmarks/results/*.json; the rest of both files stays as it is.

    python benchmarks/tables.py
"""

import json
import re
import statistics
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from games import GAMES

from helpers import datasets, evaluation, files, plots, predict

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
_RECIPES = "plain", "best"  # of degraded.json
_FEW = 5  # clips of a source or a kind: of fewer no share is shown
FILES = [HERE / "README.md", ROOT / "README.md", ROOT / "data" / "pretrained" / "README.md"]
FILES += [ROOT / "SECURITY.md"]
PICTURE = ROOT / "notebooks" / "images" / "ladder.png"
TRADE = HERE / "trade.png"
_MODELS = ("the compact network", "shipped"), ("the head on YAMNet", "yamnet_head")


def results(name):
    """The content of one file of results."""
    return json.loads((HERE / "results" / f"{name}.json").read_text("utf-8"))


def percent(share):
    return evaluation.percent(share, 1)


def interval(row):
    return f"{percent(row['low'])[:-2]} to {percent(row['high'])[:-2]}"


def table(head, rows):
    """Markdown; all columns but the first stand at the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def points(change):
    """A paired difference with its interval, in points; nothing where it was not measured."""
    return "{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * x for x in change)) if change else ""


def _scored(rows, difference=None):
    """Methods with their figures; difference: the name of a paired one that rows may hold."""
    head = [
        "",
        "balanced accuracy",
        "95 % interval (%)",
        *([difference + " (points)"] if difference else []),
        "errors, each seed",
        "parameters",
        "CPU seconds a fold",
    ]
    return table(
        head,
        [
            [
                row["name"],
                percent(row["balanced_accuracy"]),
                interval(row),
                *([points(row.get(difference))] if difference else []),
                ", ".join(map(str, row["errors"])),
                f"{row['parameters']:,}" if row["parameters"] else "",
                f"{row['cpu_seconds']:.0f}",
            ]
            for row in rows
        ],
    )


def kept():
    """The last rung that was kept: the best recipe."""
    return [row for row in results("ladder")["rungs"] if row["kept"]][-1]


def ladder():
    """Each rung with its change in points against the one that it was built on.

    With the interval of the paired difference where it was measured on the same seeds; else on the
    first seed alone.
    """
    rows, before = [], None
    for row in results("ladder")["rungs"]:
        first, name = row["by_seed"][0], row["name"] + ("" if row["kept"] else ", not kept")
        if "change" in row:
            change, low, high = (f"{100 * x:+.1f}" for x in row["change"])
            name += f" ({change}; {low} to {high})"
        elif before is not None:
            name += f" ({100 * (first - before):+.1f})"
        rows.append(row | {"name": name})
        before = first if row["kept"] else before
    return _scored(rows)


def rivals():
    return _scored([*results("ladder")["rivals"], kept()], "best minus this")


def best():
    """The README's table: the first rung, the last that was kept, and what stands beside them."""
    found = results("ladder")
    last = kept() | {"name": f"the course's best recipe ({kept()['name']})"}
    return _scored([found["rungs"][0], *found["rivals"], last])


def features():
    return _scored(results("features")["features"])


def pairs():
    head = ["pair", "only the first right", "only the second right", "p", "p, Holm"]
    head.append("second minus first (points)")
    return table(
        head,
        [
            [
                f"{row['first']}, {row['second']}",
                row["only_first"],
                row["only_second"],
                row["p"],
                row["p_holm"],
                points(row["second minus first"]),
            ]
            for row in results("features")["pairs"]
        ],
    )


def transfer():
    found = results("transfer")
    sizes = sorted({row["clips"] for row in found["curve"]})
    cell = {(row["way"], row["clips"]): row for row in found["curve"]}
    ways = dict.fromkeys(row["way"] for row in found["curve"])
    rows = [
        [
            way,
            *(
                f"{percent(cell[way, n]['balanced_accuracy'])} ({interval(cell[way, n])})"
                if (way, n) in cell
                else ""
                for n in sizes
            ),
        ]
        for way in ways
    ]
    paired = [
        [way, *(points(cell.get((way, n), {}).get("the head minus this")) for n in sizes)]
        for way in ways
        if any("the head minus this" in row for row in found["curve"] if row["way"] == way)
    ]
    parts = [table(["clips a class", *sizes], rows)]
    if paired:
        parts.append(table(["the head on YAMNet minus this (points)", *sizes], paired))
    zero = found["zero-shot"]
    line = f"YAMNet's own classes, no clips at all: {percent(zero['balanced_accuracy'])}"
    return "\n\n".join([*parts, f"{line} ({interval(zero)})."])


def degraded():
    head = ["the held-out clips", "second rung", "with augmentation", "difference (points)"]
    rows = [
        [
            row["kind"],
            *(f"{percent(row[n]['balanced_accuracy'])} ({interval(row[n])})" for n in _RECIPES),
            points(row["best minus plain"]),
        ]
        for row in results("degraded")["copies"]
    ]
    return table(head, rows)


def degraded_elsewhere():
    """Degraded copies of sounds from sources not heard, asked of the shipped model and the head."""
    lines = []
    for name, of in _MODELS:
        rows = [
            [
                row["kind"],
                *(
                    text
                    for column in ("balanced, neither an error", "between cat and dog")
                    for text in (
                        f"{percent(row[column]['balanced_accuracy'])} ({interval(row[column])})",
                        points(row[column]["minus as recorded"]) if number else "",
                    )
                ),
                percent(row["others kept out"]),
            ]
            for number, row in enumerate(results(of)["copies"])
        ]
        head = ["the clips left out", "cats and dogs right", "change (points)"]
        head += ["between cat and dog", "change (points)", "others kept out"]
        lines.append(f"{name[0].upper()}{name[1:]}:\n\n{table(head, rows)}")
    return "\n\n".join(lines)


def elsewhere():
    """What the shipped model's recipe answers about sources that it has not heard."""
    found = results("shipped")
    mean, sounds, drawn = found["mean"], found["clips"], found["interval"]
    recordings, sources = (
        f"{100 * low:.1f} to {100 * high:.1f}"
        for low, high in (drawn["groups drawn"], drawn["sources drawn"])
    )
    return (
        f"Of {sounds['cat']} cats, {sounds['dog']} dogs and {sounds['other']} other sounds from "
        f"{found['sources']} sources, each asked of a network that heard nothing of its source:\n\n"
        f"- **{percent(mean['balanced, neither an error'])}** of the cats and dogs are called what "
        f"they are (95 % interval {recordings} where recordings are drawn, {sources} where sources "
        "are; the mean of both; unsure counts as its likelier animal, neither as an error);\n"
        f"- {percent(mean['others kept out'])} of the other sounds are called neither; of kinds "
        "that several sources have (not babies or roosters, "
        f"which one source alone has) {percent(mean['others of kinds heard elsewhere kept out'])}, "
        "where its limit was set;\n"
        f"- between cat and dog alone {percent(mean['between cat and dog'])}; area under the curve "
        f"of pets and others {mean['AUC of pets and others']:.3f}; expected calibration error "
        f"{percent(mean['calibration error'])}.\n\n"
        f"Seeds: {', '.join(map(str, found['seeds']))}; {found['folds']} folds of whole sources. "
        "The recipe, the temperature and the limit were chosen on these very recordings, which "
        "flatters the figures a little."
    )


def calibration():
    """How sure the shipped model's recipe is of sources that it has not heard, and how often right.

    In bins of the probability of its best answer.
    """
    rows = [
        [
            f"{percent(row['confidence'])}",
            f"{percent(row['accuracy'])}",
            f"{row['clips']:.0f}",
        ]
        for row in results("shipped")["reliability"]
        if row["clips"]
    ]
    return table(["says", "is right", "answers"], rows)


def _by(column, name):
    """How often each of a column's values, with so many clips, was answered rightly."""
    found = results("shipped")
    rows = [
        [
            value,
            label,
            clips,
            percent(share),
            interval(dict(zip(("low", "high"), ends))) if ends else "",
        ]
        for (label, value, clips, share), ends in zip(found[column], found[f"ends_{column}"])
        if clips >= _FEW
    ]
    return table([name, "sounds", "clips", "right", "95 % interval (%)"], rows)


def by_source():
    return _by("by_source", "source")


def by_kind():
    return _by("by_kind", "kind")


def trade():
    """Some points of the curve: what is kept, and what is kept out."""
    rows = [
        [f"{limit:.2f}", percent(kept), percent(out)]
        for limit, kept, out in results("shipped")["trade"][::6]
    ]
    head = ["neither from", "cats and dogs that are not turned away", "others kept out"]
    return table(head, rows)


_OUT = 0.85, 0.9  # shares of the other sounds kept out, at which two models are compared


def kept_at(found, out):
    """The share of cats and dogs that are not turned away where so many of the others are."""
    _, kept, kept_out = zip(*found["trade"])
    return float(np.interp(out, kept_out[::-1], kept[::-1]))


def draw_trade():
    """The same as a picture, of both models: what is kept, over what is kept out."""
    ax = plt.subplots(figsize=(6.4, 4))[1]
    for (name, of), tint, dash in zip(_MODELS, ("#009E73", "#333333"), ("-", "--"), strict=True):
        _, kept, out = zip(*results(of)["trade"])
        ax.plot(100 * np.array(out), 100 * np.array(kept), dash, color=tint, label=name)
    ax.plot(90, 95, "x", color="#CC79A7", markersize=9, markeredgewidth=2, label="the aim")
    ax.set(title="Cats and dogs let in, other sounds kept out", xlim=(0, 101), ylim=(0, 103))
    ax.set(xlabel="other sounds kept out (%)", ylabel="cats and dogs let in (%)")
    ax.legend(frameon=False, loc="lower left")
    plt.savefig(TRADE, dpi=110)


def heads():
    """The shipped model and the head on YAMNet, on the same sources that neither has heard."""
    rows = []
    for name, of in _MODELS:
        found = results(of)
        mean = found["mean"]
        rows.append(
            [
                name,
                f"{found['parameters']:,}",
                percent(mean["balanced, neither an error"]),
                percent(mean["others kept out"]),
                percent(mean["between cat and dog"]),
                f"{mean['AUC of pets and others']:.3f}",
                percent(mean["calibration error"]),
                *(percent(kept_at(found, out)) for out in _OUT),
                ", ".join(map(str, found["seeds"])),
            ]
        )
    head = [
        "",
        "parameters of our own",
        "cats and dogs right",
        "others kept out",
        "between cat and dog",
        "AUC of pets and others",
        "calibration error",
        *(f"not turned away at {evaluation.percent(out)} kept out" for out in _OUT),
        "seeds",
    ]
    return table(head, rows)


def ablations():
    """What each part of the shipped recipe is worth among strangers."""
    found, rows = results("ablations"), []
    for row in found["rows"]:
        changes = [row.get(f"change, {unit}s drawn") for unit in ("group", "source")]
        told = list(map(points, changes))
        rows.append(
            [
                row["name"],
                percent(row["balanced_accuracy"]),
                f"{row['AUC of pets and others']:.3f}",
                *told,
                f"{row['seconds a fold']:.0f}",
            ]
        )
    head = [
        f"{found['steps']:,} steps, seeds {', '.join(map(str, found['seeds']))}",
        f"cats and dogs right at {evaluation.percent(found['others kept out'])} kept out",
        "AUC of pets and others",
        "change (points), recordings drawn",
        "the same, sources drawn",
        "seconds a fold",
    ]
    left = ", ".join(found["not yet"])
    return table(head, rows) + (f"\n\nNot measured yet: {left}." if left else "")


def of_head():
    """What the card of the head says of its file, its limits and its sources."""
    found, card = results("yamnet_head"), card_of("yamnet_head")
    return (
        f"{found['parameters']:,} parameters of our own, {found['bytes'] / 1e3:.0f} kB. "
        f"Temperature {card['temperature']}; the answer is neither from a probability of "
        f"{card['other_from']} on, unsure where the likelier animal has less than "
        f"{card['unsure_below']:g} of both.\n\n"
        f"Learnt from {card['trained on'].split(',')[0]}, by source (clips; licences): "
        f"{credited(card)}."
    )


def of_embeddings():
    """What the two files of YAMNet's embeddings hold."""
    rows = []
    for name in ("yamnet_embeddings", "yamnet_synthetic"):
        with np.load(ROOT / "data" / "pretrained" / f"{name}.npz") as kept:
            clips, numbers = kept["embeddings"].shape
            rows.append([f"`{name}.npz`", clips, f"{numbers:,}", kept["mfcc"].shape[1]])
    return table(["file", "clips", "embedding", "from its MFCCs"], rows)


def learnt_from():
    """What the compact network learnt from, counted."""
    card, stated = card_of("cat_dog_cnn"), pd.read_csv(ROOT / "data" / "elsewhere.csv")
    clips = {source: row["clips"] for source, row in card["credits"].items()}
    home = clips.pop(datasets.KAGGLE)
    of_games = ", ".join(
        f"{clips.pop(name):,} of {name} ({game.credit}; {game.licence})"
        for name, game in GAMES.items()
        if name in clips
    )
    of_games = of_games and f"sounds of free games, from Debian's packages: {of_games}; "
    made = re.search(r"and (\d+) synthetic clips", card["trained on"])[1]
    beside = results("shipped").get("beside", {})
    of_each = ", ".join(f"{n} {name}" for name, n in beside.items())
    return (
        "[Audio Cats and Dogs](https://www.kaggle.com/datasets/mmoreaux/audio-cats-and-dogs) by "
        "M. Moreaux, "
        f"{home} clips of {results('ladder')['recordings']} recordings, CC BY-SA 3.0 as stated by "
        f"third parties that cite the Kaggle page; {sum(clips.values()):,} of the {len(stated):,} "
        f"sounds of dogs, cats and other things from {stated.repository.nunique()} public "
        "repositories that [../elsewhere.csv](../elsewhere.csv) names; "
        f"{of_games}and beside them "
        f"{int(made):,} synthetic clips of this course's own, CC0"
        + (f" ({of_each})." if of_each else ".")
    )


def card_of(name):
    return json.loads((ROOT / "data" / "pretrained" / f"{name}.json").read_text("utf-8"))


def credited(card):
    """Each source with the number of its clips and their licences."""
    return "; ".join(
        f"{source} ({row['clips']}; {', '.join(row['licences'])})"
        for source, row in card["credits"].items()
    )


def credits():
    """Whose recordings the compact network learnt from."""
    return f"By source (clips; licences): {credited(card_of('cat_dog_cnn'))}."


def share_alike():
    """Why recordings under BY-SA, beyond Kaggle's, are in the shipped model."""
    rows = {row["name"]: row for row in results("ablations")["rows"]}
    change, by_source, games = (
        points(rows[f"without {what}"][f"change, {unit}s drawn"])
        for what, unit in (
            ("recordings under BY-SA", "group"),
            ("recordings under BY-SA", "source"),
            ("the games' sounds", "group"),
        )
    )
    return (
        "What else is under BY-SA was measured, at a quarter of the steps, whole sources left out. "
        "To leave out the repositories' recordings under it changes the share of cats and dogs "
        f"that are right where 85 % of the others are kept out by {change} points where recordings "
        f"are drawn, {by_source} where sources are; to leave out the games' sounds, by {games}."
    )


def files_of_model():
    found, card = results("shipped"), card_of("cat_dog_cnn")
    return (
        f"{found['parameters']:,} parameters; {found['bytes']['.keras'] / 1e6:.2f} MB as `.keras`, "
        f"{found['bytes']['.tflite'] / 1e6:.2f} MB as `.tflite`, which differ by at most "
        f"{found['agreement']:.1e} in a probability. Temperature {card['temperature']}; the "
        f"answer is neither from a probability of {card['other_from']} on."
    )


def of_model():
    """Size, speed and agreement of the shipped model's two files."""
    found, timed = results("shipped"), results("speed")
    asked, parameters = timed["prediction"], f"{found['parameters']:,}"
    rows = [
        [name, parameters, f"{found['bytes'][name] / 1e6:.2f}", *milliseconds]
        for name, milliseconds in (
            (".keras", [f"{1000 * asked['one clip in Keras']:.0f}"] if _timed_today() else [""]),
            (".tflite", [f"{1000 * asked['one clip']:.0f}"]),
        )
    ]
    head = ["", "parameters", "MB", f"ms from file to answer, of {asked['clip (s)']:.0f} s"]
    said = f"In a probability the two differ by at most {found['agreement']:.1e}."
    if not _timed_today():
        said += " The milliseconds are an earlier network's: `python benchmarks/speed.py`."
    return f"{table(head, rows)}\n\n{said}"


def _timed_today():
    """Whether the speed was measured with the model that is shipped."""
    return results("speed").get("model") == files.digest(predict.SHIPPED)


def audit():
    """Which sources hold the same sound."""
    path = HERE / "results" / "source_audit.json"
    again = "`python benchmarks/source_audit.py --dataset kaggle+elsewhere`"
    if not path.is_file():
        return f"Not measured yet: {again}."
    found = results("source_audit")
    rows = [
        [" and ".join(dict.fromkeys(r["sources"])), r["pairs"], r["clips"], r["of unlike labels"]]
        for r in found["by_sources"]
    ]
    spans = [
        " + ".join(f"{n} of {name}" for name, n in r["clips"].items()) for r in found["across"]
    ]
    counted = [[text, spans.count(text)] for text in dict.fromkeys(spans)]
    mixed = sum(len(row["labels"]) > 1 for row in found["across"])
    return "\n\n".join(
        [
            f"{found['pairs']} pairs among {found['clips']:,} clips of {found['sources']} sources "
            "hold the same second or more:",
            table(["sources", "pairs", "clips in them", "pairs of unlike labels"], rows),
            f"With what the manifests state, the clips are of {found['recordings']:,} recordings, "
            f"{len(spans)} of which lie in several sources, {mixed or 'none'} of these with more "
            "than one label:",
            table(["clips of one recording", "recordings"], counted),
        ]
    )


# What make bench runs; the last three on several sources at once. make shipped runs the last two.
MEASURES = {
    "synthetic_to_real": "synthetic to real",
    "more_epochs": "more epochs",
    "ladder": "ladder and rivals",
    "degraded_copies": "degraded copies",
    "feature_comparison": "features",
    "transfer_curve": "transfer",
    "source_audit": "which sources share a recording",
    "shipped": "sources left out: the compact network, its calibration, its degraded copies",
    "yamnet_head": "the same of the head on YAMNet",
}
_FILES = {
    "degraded_copies": "degraded",
    "feature_comparison": "features",
    "transfer_curve": "transfer",
}
_WITHIN = 2.0  # hours, that all of it should take


def hours_of(measure):
    """Hours on the clock that a measurement took, from its own results; None if they do not say."""
    found = results(_FILES.get(measure, measure))
    if "seconds" in found:
        return found["seconds"] / 3600
    if measure == "synthetic_to_real":
        return sum(run["seconds"] for run in found["runs"]) / 3600
    if "seconds a fold" in found:
        return found["seconds a fold"] * found["folds"] * len(found["seeds"]) / 3600
    rows = [row for name in ("rungs", "rivals", "features") for row in found.get(name, [])]
    rows = [row for row in rows if row["name"] != "YAMNet and the network together"]  # twice
    if not rows:
        return None
    return sum(row["seconds"] for row in rows) * found["folds"] * len(found["seeds"]) / 3600


def hours():
    """How long each measurement takes, as it noted itself, and what does not fit into the time."""
    rows, total, unknown, over = [], 0.0, [], []
    for measure, what in MEASURES.items():
        took = hours_of(measure)
        total += took or 0
        rows.append([what, f"`{measure}.py`", "not noted" if took is None else f"{took:.2f}"])
        if took is None:
            unknown.append(f"`{measure}.py`")
        elif total > _WITHIN:
            over.append(f"`{measure}.py`")
    said = f"Together {total:.1f} hours"
    if unknown:
        said += f", without {', '.join(unknown)}, which note theirs the next time"
    fits = f"{', '.join(over)} end later" if over else "all that is noted ends within them"
    said += f". The aim is {_WITHIN:.0f} hours: run in this order, {fits}."
    return table(["measurement", "program", "hours"], rows) + f"\n\n{said}"


_AS_LISTED = "the ways listed under [Elsewhere](#elsewhere)"


def _targets_at_home():
    """Targets on the article's clips: (target, reached or not, figure, what was tried)."""
    found, best = results("ladder"), kept()
    paired = [row for row in found["rungs"] if "change" in row][1:]  # the first is the network
    gained = "; ".join(f"{row['name']} {points(row['change'])}" for row in paired)
    both = next(row for row in found["rivals"] if row["name"].endswith("the network together"))
    took = sum(filter(None, map(hours_of, MEASURES)))
    return [
        (
            f"97 % balanced on the {found['clips']} clips at home",
            best["balanced_accuracy"] >= 0.97,
            f"{percent(best['balanced_accuracy'])} ({interval(best)})",
            f"in points, {gained}; with YAMNet beside it {percent(both['balanced_accuracy'])}",
        ),
        (
            f"all that `make bench` measures in {_WITHIN:.0f} hours",
            took <= _WITHIN,
            f"{took:.1f} hours and what is not noted",
            "what YAMNet hears is made once and kept; nothing was left out",
        ),
    ]


def _targets_away():
    """The same of the shipped model's recipe, on sources left out."""
    found, head = results("shipped"), results("yamnet_head")["mean"]
    mean = found["mean"]
    right, out, apart = (
        mean[name]
        for name in ("balanced, neither an error", "others kept out", "between cat and dog")
    )
    _, rest, away = zip(*found["trade"])
    at_95 = float(np.interp(0.95, rest, away))
    pets = [
        (share, f"{label}s of {source}")
        for label, source, clips, share in found["by_source"]
        if label != "other" and clips >= _FEW
    ]
    (least, where), few = min(pets), sum(share < 0.85 for share, _ in pets)
    head_right = percent(head["balanced, neither an error"])
    head_says = f"{head_right} at {percent(head['others kept out'])}"
    return [
        (
            "93 % of the cats and dogs right at 90 % of the others kept out",
            right >= 0.93 and out >= 0.9,
            f"{percent(right)} at {percent(out)}; "
            f"{percent(kept_at(found, 0.9))} not turned away at 90 %",
            f"{_AS_LISTED}; the head on YAMNet: {head_says}",
        ),
        (
            "better than a head on YAMNet, a network of millions of parameters",
            right > head["balanced, neither an error"] and out > head["others kept out"],
            f"{percent(right)} at {percent(out)}; the head {head_says}",
            f"the network is taught by what YAMNet hears in changed windows; {_AS_LISTED}",
        ),
        (
            "90 % of the others kept out where 95 % of the cats and dogs are not turned away",
            at_95 >= 0.9,
            percent(at_95),
            f"{_AS_LISTED}; another limit moves along the curve only",
        ),
        (
            "95 % between cat and dog",
            apart >= 0.95,
            percent(apart),
            f"{_AS_LISTED}; the head on YAMNet: {percent(head['between cat and dog'])}",
        ),
        (
            f"no source with fewer than 85 % of its cats or dogs right (of {_FEW} clips or more)",
            not few,
            f"{few} of {len(pets)} below; the least {percent(least)}, {where}",
            "draws even over sources; sounds of games and synthetic clips beside the recordings",
        ),
        *_targets_degraded(),
        (
            "a training within 60 s a fold on two cores",
            found["seconds a fold"] <= 60,
            f"{found['seconds a fold']:.0f} s",
            _fewer_steps(),
        ),
        (
            "a calibration error under 5 %",
            mean["calibration error"] < 0.05,
            percent(mean["calibration error"]),
            "",
        ),
        (
            "at most 160,000 parameters",
            found["parameters"] <= 160_000,
            f"{found['parameters']:,}",
            "",
        ),
        (
            "at most 0.7 MB as `.tflite`",
            found["bytes"][".tflite"] <= 0.7e6,
            f"{found['bytes']['.tflite'] / 1e6:.2f} MB",
            "",
        ),
    ]


def _fewer_steps():
    """What a shorter training gives."""
    found = results("ablations")
    whole, right = found["rows"][0], percent(found["rows"][0]["balanced_accuracy"])
    return (
        f"{found['steps']:,} steps: {whole['seconds a fold']:.0f} s, {right} of the cats and dogs "
        f"right at {evaluation.percent(found['others kept out'])} of the others kept out"
    )


def _targets_degraded():
    """The same of degraded copies of those clips."""
    at_home = {
        row["kind"]: points(row["best minus plain"]) for row in results("degraded")["copies"]
    }
    rows = []
    for row in results("shipped")["copies"][1:]:
        kind, found = row["kind"], row["balanced, neither an error"]
        tried = "windows changed in ways of the same kinds; at home the rungs up to augmentation "
        tried += f"give {at_home[kind]} points"
        rows.append(
            (
                f"{kind}, within 3 points of the clips as recorded",
                found["minus as recorded"][0] >= -0.03,
                points(found["minus as recorded"]),
                tried,
            )
        )
        if "0 dB" in kind and "noise" in kind:
            says = f"{percent(found['balanced_accuracy'])} ({interval(found)})"
            between = percent(row["between cat and dog"]["balanced_accuracy"])
            tried += f"; between cat and dog {between}"
            rows.append(
                (
                    f"{kind}, 90 % of the cats and dogs right",
                    found["balanced_accuracy"] >= 0.9,
                    says,
                    tried,
                )
            )
    return rows


def targets():
    """What was aimed at and missed, and what was tried towards it; what is met, in a sentence."""
    rows = [*_targets_at_home(), *_targets_away()]
    missed = [[target, figure, tried] for target, met, figure, tried in rows if not met]
    met = "; ".join(f"{target}: {figure}" for target, met, figure, _ in rows if met)
    of_missed = table(["target", "reached", "what was tried"], missed).replace("--:", "---")
    return f"{of_missed}\n\nMet are: {met}."


def speed():
    found = results("speed")
    feature, asked, step = found["features"], found["prediction"], found["training"]
    rows = [
        ["recordings to windows of log-mel", f"{feature['windows']:.2f} s", "1.0 s"],
        ["the same by librosa's log-mel", f"{feature['librosa']:.2f} s", ""],
        ["one clip of 10 s from file to answer", f"{1000 * asked['one clip']:.0f} ms", "40 ms"],
        ["all in bulk", f"{asked['times real time']:.0f} times real time", "400"],
        [
            "a training step with its input, to one on ready batches",
            f"{step['with its input'] / step['on ready batches']:.2f}",
            "1.5",
        ],
        ["the explorer's next clip", f"{1000 * found['redraw']['explorer']:.0f} ms", ""],
    ]
    head = [f"{found['clips']} clips, {found['cores']} cores", "median", "aim"]
    return table(head, rows)


def large():
    """What the pipeline for a million clips costs, as measured, and what follows for more."""
    if not (HERE / "results" / "large.json").is_file():
        return "Not measured yet: `python benchmarks/large.py`."
    found = results("large")
    one, two = (statistics.median(walls) for walls in found["walls"])
    lines = [
        f"{found['cores']} cores, shared: the load was {found['load before']:.0f} before. Seconds "
        "are the workers' processors', which others hardly change.",
        f"Two workers do {found['clips of walls']:,} clips in {two:.0f} s on the clock, one in "
        f"{one:.0f} s (medians of {len(found['walls'][0])} in turn): **{one / two:.2f} times** as "
        "fast. The aim is 1.7.",
    ]
    rows = [
        [
            f"{row['size']:,}",
            f"{1000 * row['workers'] / row['size']:.1f}",
            f"{1000 * row['scheduler'] / row['size']:.1f}",
            f"{row['wall']:.0f}",
            f"{row['peak'] / 1e6:.0f}",
        ]
        for row in found["growth"]
    ]
    head = [
        "clips of 1 s",
        "ms a clip",
        "scheduler, ms a clip",
        "clock (s)",
        "a worker's peak (MB)",
    ]
    lines += [table(head, rows)] if rows else []
    rows = [
        [
            f"{row['size']:,}",
            f"{row['found']:,} of {row['planted']:,}",
            row["false"],
            f"{row['candidates']:,}",
            f"{1000 * row['names'] / row['size']:.1f}",
            f"{1000 * (row['workers'] - row['names']) / row['size']:.1f}",
            f"{row['peak'] / 1e6:.0f}",
        ]
        for row in found["audit"]
    ]
    head = ["stretches of 1.5 s", "planted pairs found", "false", "candidates"]
    head += ["names, ms each", "join and proof, ms each", "a worker's peak (MB)"]
    lines += [table(head, rows)] if rows else []
    if not found["growth"] or not found["audit"]:
        return "\n\n".join([*lines, "The rest is not measured yet: `python benchmarks/large.py`."])
    most, audit = found["growth"][-1], found["audit"][-1]
    second = most["workers"] / most["size"], audit["workers"] / audit["size"]
    costs = [
        ("report, features, prediction (core hours)", second[0] / 3600),
        ("audit (core hours)", second[1] / 3600),
        ("scheduler (hours)", most["scheduler"] / most["size"] / 3600),
        ("TFRecord shards (GB)", most["bytes"] / most["size"] / 1e9),
        ("names for the audit (GB)", audit["bytes"] / audit["size"] / 1e9),
    ]
    sizes = 10**4, 10**6, 10**8
    rows = [[what, *(f"{n * each:,.2g}" if n * each < 10 else f"{n * each:,.0f}" for n in sizes)]
            for what, each in costs]  # fmt: skip
    for row in rows:  # its join opens parts x buckets + buckets x buckets files
        if row[0].startswith("audit"):
            row[2:] = ["not linear"] * 2
    lines.append(table(["what clips of 1 s cost", *(f"{n:,}" for n in sizes)], rows))
    return "\n\n".join(lines)


def load():
    """The page while many ask at once."""
    if not (HERE / "results" / "load.json").is_file():
        return "Not measured yet: `python benchmarks/load.py`."
    found = results("load")
    both = found["alone"], found["beside slow uploads"]
    rows = [
        [
            name,
            f"{row['right']:,} of {row['good']:,}",
            row["wrong"],
            row["good, but refused"],
            f"{row['refused']:,} of {row['broken']:,}",
            f"{row['median']:.1f} s",
            f"{row['95th percentile']:.1f} s",
        ]
        for name, row in (
            ("they alone", both[0]),
            (f"{found['slow uploads']} others send a byte a second", both[1]),
        )
    ]
    head = [f"{found['at once']} uploads at once", "good ones, answered rightly", "wrongly"]
    head += ["refused", "broken ones, refused", "median of the good", "95th percentile"]
    before, after = found["memory before (MB)"], found["memory after (MB)"]
    uploads = sum(row["good"] + row["broken"] for row in both)
    rounds = uploads // found["at once"] // 2
    taken = "were" if found["slow uploads were not given up"] else "were not all"
    shared = f"{found['cores']} cores; the load was {found['load']:.0f}"
    if found["load"] > found["cores"]:
        shared += ", so that the seconds say little, and less of the two lines' difference"
    return (
        f"{table(head, rows)}\n\nEach line is {rounds} round{'s' * (rounds != 1)}. "
        f"{1000 * found['processor (s an upload)']:.0f} ms of the processor an upload. Resident "
        f"memory: {before} MB after a first round that does not count, {after} MB at the end: "
        f"{1000 * (after - before) / uploads:+.0f} MB per 1,000 uploads. Temporary files left: "
        f"{found['files left']}, and {found['files of slow uploads left']} of slow uploads, which "
        f"{taken} still taken when their senders went away; {found['files left at the end']} once "
        f"the page is closed. {shared}."
    )


def odd_files():
    """How many odd files were tried at each entrance."""
    found = results("odd_files")
    rows = [[name, *(f"{n:,}" for n in row.values())] for name, row in found["entrances"].items()]
    total = [sum(row[what] for row in found["entrances"].values()) for what in ("tried", "wrong")]
    rows.append(["in all", *(f"{n:,}" for n in total)])
    return table(["entrance", "odd files tried", "not as they should be"], rows)


def synthetic_to_real():
    found = results("synthetic_to_real")
    runs = [run["balanced_accuracy"] for run in found["runs"]]
    return (
        f"Trained on {found['trained on']} alone and asked about the "
        f"{found['tested on'].split()[0]} real clips of the article's data set: "
        f"**{percent(found['mean'])}** balanced accuracy in the mean of {len(runs)} runs, "
        f"**{percent(found['minimum'])}** in the worst and {percent(max(runs))} in the best."
    )


def own_classes():
    """Lesson 10's method on real kinds of sound: what is found in the file, and in the sound."""
    found = results("own_classes")
    rows = [row for row in found["rows"] if "none of these" in row]
    clips = ", ".join(f"{n} {label}" for label, n in found["clips"].items())
    none = [
        [row["name"], *(percent(share) for share in row["none of these"].values())] for row in rows
    ]
    head = ["", *rows[0]["none of these"]]
    low, high = (percent(end) for end in rows[-1]["sources drawn"])
    seeds = ", ".join(map(str, found["seeds"]))
    return (
        f"{sum(found['clips'].values()):,} clips of {found['recordings']} recordings ({clips}), "
        f"{found['folds']} folds, seeds {seeds}; guessing gives {percent(1 / len(found['clips']))}."
        f"\n\n{_scored(found['rows'])}\n\n"
        f"With whole sources left out the interval is {low[:-2]} to {high} where sources are drawn "
        "instead of recordings. By a limit that keeps out nine of ten on the other folds:\n\n"
        + table(head, none)
    )


def summary():
    """The README's sentence."""
    row, first = kept(), results("ladder")["rungs"][0]
    copies = {
        r["kind"]: percent(r["best"]["balanced_accuracy"]) for r in results("degraded")["copies"]
    }
    return (
        f"**{percent(row['balanced_accuracy'])}** balanced accuracy "
        f"(95 % interval {interval(row)}), the mean of {len(row['by_seed'])} seeds "
        f"({', '.join(percent(one) for one in row['by_seed'])}). The article's network with its "
        f"mistakes mended has {percent(first['balanced_accuracy'])}.\n\n"
        "Degraded copies of the held-out clips, asked of networks that were trained for half as "
        f"long ({copies.pop('as recorded')} on the clips as recorded): "
        + ", ".join(f"{name} {value}" for name, value in copies.items())
        + "."
    )


def headline():
    """The result in one line, and what has to be known of it."""
    mended, home = (
        percent(r["balanced_accuracy"]) for r in (results("ladder")["rungs"][0], kept())
    )
    away = results("shipped")["mean"]
    return (
        f"> Cats told from dogs: **{home}** on the article's clips, "
        f"**{percent(away['between cat and dog'])}** in sources never heard before, "
        f"**{percent(away['balanced, neither an error'])}** where *neither* is an answer, too.\n\n"
        f"The article's own network, its code mended, tells {mended} of its clips apart; the "
        "course's recipe was chosen on the clips that it is measured on here. Of all sounds that "
        f"are neither, {percent(away['others kept out'])} are turned away "
        "([how this is measured](#what-is-measured))."
    )


WRITERS = {
    one.__name__: one
    for one in (
        ladder,
        rivals,
        best,
        features,
        pairs,
        transfer,
        degraded,
        synthetic_to_real,
        own_classes,
        summary,
        headline,
        elsewhere,
        calibration,
        ablations,
        by_source,
        by_kind,
        trade,
        degraded_elsewhere,
        audit,
        heads,
        of_head,
        of_model,
        of_embeddings,
        learnt_from,
        hours,
        targets,
        credits,
        share_alike,
        files_of_model,
        speed,
        large,
        load,
        odd_files,
    )
}


def filled(text):
    """The text with all that stands between markers made anew."""
    return re.sub(
        r"(<!-- measured (\w+) -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{WRITERS[found[2]]()}\n{found[3]}",
        text,
        flags=re.DOTALL,
    )


def main():
    for path in FILES:
        text = filled(path.read_text("utf-8"))
        with files.atomic(path) as part:
            part.write_text(text, "utf-8")
    found = results("ladder")
    counted = f"{found['clips']} clips of {found['recordings']} recordings"
    plots.ladder(found, title=f"{counted}, {found['folds']} grouped folds")
    plt.savefig(PICTURE, dpi=110)
    draw_trade()


if __name__ == "__main__":
    main()
