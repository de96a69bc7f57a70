"""Ten short clips, or a long one: learner and model say what they hear, and are compared."""

import html

import numpy as np

from helpers import audio, datasets, evaluation, plots
from helpers.predict import NEITHER, NONE, Classifier
from helpers.widgets.panel import Panel, button, drawable, menu, player, player_table, png, sheet


class Quiz(Panel):
    """Listen and vote; then see how the model voted; the score stands above, mark by mark.

    New clips begin another round, and the rounds before are remembered. By keyboard: Tab leads to
    the player, to the votes and to next, Enter or Space presses them.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        clips: a catalog, of which short clips are drawn, as many of each class as can be, first
            those that the model was not trained on.
        classifier: predict.Classifier, by default the model that the course ships.
        n: number of clips.
        seconds: the longest clip to be drawn, if there are enough.
        seed: of the draw.

    Attributes:
        votes: dict of class to the Button that votes for it.
        next, again: Buttons: the next clip or the board, after a vote; another draw.
        rows: DataFrame, one row a clip drawn: label, path; voted, the learner's vote ("" before);
            model, the model's; share, its probability; trained_on, True, False or None (unknown).
        rounds: list of (the learner's, the model's) scores in the rounds played to the end before.

    Raises:
        ValueError: the catalog is empty.
    """

    # first the player, then the votes; a picture that comes moves neither
    ORDER = "note", "sound", "controls", "picture"

    def __init__(self, clips, classifier=None, n=10, seconds=4.0, seed=0):
        if clips.empty:
            raise ValueError("the catalog holds no clips")
        self._classifier, self._clips = classifier or Classifier.load(), clips
        self._n, self._seconds, self._seed = min(n, len(clips)), seconds, seed
        names = sorted(clips.label.unique())
        self.votes = {
            name: button(name, f"Vote: this is a {name}", lambda _, name=name: self._vote(name))
            for name in names
        }
        for name, vote in self.votes.items():  # large, and in the colour of its class
            edge = f"3px solid {plots.colour(name)}"
            vote.layout.border, vote.layout.height, vote.layout.min_width = edge, "44px", "110px"
        self.next = button("next ▶", "Go on to the next clip", lambda _: self._go_on())
        self.again = button("new clips", "Draw other clips and begin again", self._again)
        self.rounds = []
        self._begin()
        rows = [[*self.votes.values(), self.next, self.again]]
        super().__init__(rows, [], f"Quiz of {self._n} clips")
        self.layout.min_height = "620px"  # with a picture or without: the page does not jump

    def _begin(self):
        drawn = _drawn(self._clips, self._n, self._seconds, self._seed, self._classifier)
        self.rows = drawn.assign(voted="", model="", share=np.nan)
        self._at = 0

    def _again(self, _):
        if self._at == self._n:  # a round that was broken off does not count
            yours, its = self._right()
            self.rounds.append((int(yours.sum()), int(its.sum())))
        self._seed += 1
        self._begin()
        self._redraw()

    def _vote(self, name):
        if self._at < self._n and not self.rows.voted.iloc[self._at]:
            self._ask_model(self._at)
            self.rows.iloc[self._at, self.rows.columns.get_loc("voted")] = name
            self._redraw()
            self.next.focus()  # a button that was just disabled would lose the keyboard

    def _go_on(self):
        if self.next.disabled:  # the second click of a double one
            return
        self._at = min(self._at + 1, self._n)
        self._redraw()
        (self.again if self._at == self._n else next(iter(self.votes.values()))).focus()

    def _ask_model(self, at):
        """Let the model vote; a clip that it cannot read is left out of the score."""
        if not self.rows.model.iloc[at]:
            try:
                answer = self._classifier.predict(self.rows.path.iloc[at])
            except (audio.AudioError, ValueError):
                return
            row, best = self.rows.index[at], answer.best
            said = (
                datasets.OTHER if best in (NEITHER, NONE) else best
            )  # as the clips' labels say it
            self.rows.loc[row, ["model", "share"]] = said, answer.probabilities[best]

    def _shown(self):
        over = self._at >= self._n
        voted = over or bool(self.rows.voted.iloc[self._at])
        for vote in self.votes.values():
            vote.disabled = voted
        self.next.disabled = over or not voted
        self.next.description = "score ▶" if self._at == self._n - 1 else "next ▶"
        if over:
            return self._board()
        row = self.rows.iloc[self._at]
        note, tally = f"Clip {self._at + 1} of {self._n}: ", self._tally()
        try:
            samples, rate = audio.load(row.path)
        except audio.AudioError as error:
            self.next.disabled = False
            return f"{tally}{note}{html.escape(str(error))}. Go on to the next.", b"", ""
        if not voted:
            ask = f"{note}{' or '.join(self.votes)}? Play it, then vote."
            return f"{tally}{ask}", b"", player(samples, rate)
        picture = png(lambda f: plots.clip(drawable(samples), rate, label=row.label, figure=f))
        note = (
            f"{tally}Clip {self._at + 1} of {self._n} is a <b>{html.escape(row.label)}</b>. "
            f"You said {html.escape(row.voted)} {_mark(row.voted == row.label)}, "
            f"the model {self._said(row)}."
        )
        return note, picture, player(samples, rate)

    def _right(self):
        """Whether the learner and the model were right, of the clips on which both have voted."""
        rows = self.rows[(self.rows.voted != "") & (self.rows.model != "")]
        return rows.voted == rows.label, rows.model == rows.label

    def _tally(self):
        """A line of marks for each of the two with its score, the streak and the rounds before."""
        pair, lines = self._right(), []
        for who, right in zip(("you", "the model"), pair):
            signs = ["○"] * self._n
            for place in np.flatnonzero(self.rows.voted != ""):
                clip = self.rows.index[place]
                signs[place] = _mark(right[clip]) if clip in right.index else "–"
            cells = "".join(f"<td style='padding:0 4px'>{sign}</td>" for sign in signs)
            lines.append(
                f"<td style='text-align:left'>{who}</td>{cells}<td><b>{right.sum()}</b></td>"
            )
        streak = 0
        for right in pair[0]:
            streak = streak + 1 if right else 0
        if streak > 1:
            lines[0] += f"<td style='padding-left:1em'>{streak} in a row!</td>"
        before = ", ".join(f"{yours} : {its}" for yours, its in self.rounds)
        rounds = f"Round {len(self.rounds) + 1}; before, you : the model {before}.<br>"
        table = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>{table}</table>{rounds if before else ''}"

    def _said(self, row):
        """The model's vote, whether it was right, and whether it was trained on the clip."""
        if not row.model:
            return "nothing: it cannot read the clip"
        said = f"{html.escape(row.model)} ({evaluation.percent(row.share)}) "
        said += _mark(row.model == row.label)
        return said + (" (it was trained on this clip)" if row.trained_on else "")

    def _board(self):
        """The scores, a table of all clips, and players of those that the two heard differently."""
        rows = self.rows[(self.rows.voted != "") & (self.rows.model != "")]
        yours, its = self._right()
        note = (
            f"{self._tally()}<b>You: {yours.sum()} of {len(rows)}. "
            f"The model: {its.sum()} of {len(rows)}.</b> "
            f"You beat it on {np.sum(yours & ~its)}, it beat you on {np.sum(its & ~yours)}. "
        )
        if rows.trained_on.isna().any():
            note += "Its card does not say which clips it was trained on."
        else:
            fresh = ~rows.trained_on.astype(bool)
            note += f"Of the {fresh.sum()} that it was not trained on, it had {its[fresh].sum()}."
        board = [("", "<b>truly</b>", "<b>you</b>", "<b>the model</b>")]
        for k, row in enumerate(self.rows.itertuples()):
            if row.voted:
                vote = f"{html.escape(row.voted)} {_mark(row.voted == row.label)}"
                board.append((k + 1, html.escape(row.label), vote, self._said(row)))
        cell = "<td style='text-align:left;padding-right:1.5em'>"
        lines = "".join(
            f"<tr>{''.join(f'{cell}{text}</td>' for text in line)}</tr>" for line in board
        )
        differ = self.rows.index.get_indexer(rows.index[yours != its])
        sounds = []
        for k in differ:
            who = "you" if yours.loc[self.rows.index[k]] else "the model"
            samples, rate = audio.load(self.rows.path.iloc[k])
            sounds.append((f"clip {k + 1}: {who} alone had it right", samples, rate))
        return f"{note}<table>{lines}</table>", b"", player_table(sounds)

    def _still(self):
        """A quiz on paper: small pictures, players, and the answers folded away."""
        sounds, lines = [], ""
        for k, row in enumerate(self.rows.itertuples()):
            self._ask_model(k)
            try:
                sounds.append((f"clip {k + 1}", *audio.load(row.path)))
            except audio.AudioError as error:
                lines += f"<li value='{k + 1}'>{html.escape(str(error))}</li>"
                continue
            row = self.rows.iloc[k]
            said = f"{html.escape(row.label)}; the model: {self._said(row)}"
            lines += f"<li value='{k + 1}'>{said}</li>"
        note = f"{self._n} clips: {' or '.join(self.votes)}? Listen, and note your votes."
        answers = f"<details><summary>Answers</summary><ol>{lines}</ol></details>"
        return note, sheet(sounds), player_table(sounds) + answers


class LongQuiz(Panel):
    """One long clip of several sounds in a row: say what sounds when; then see what the model says.

    Each stretch has a menu. "compare" shows what is true, what you said, and what the model says
    of each stretch by itself; below them its timeline of the whole clip.

    By keyboard: Tab leads to the player, from menu to menu and to compare; Space opens a menu, in
    which arrow keys choose and Enter takes; Enter or Space presses compare.

    Taught in notebooks/08_demo_app.ipynb.

    Args:
        pieces: list of (label, samples): what sounds one after the other; float, shape (samples,),
            16 kHz. Each is scaled to one peak, and cut or padded to a stretch.
        classifier: predict.Classifier, by default the model that the course ships.
        seconds: of a stretch.

    Attributes:
        choices: list of Dropdown, one a stretch.
        compare: Button, after all choices.
        samples: float32, shape (samples,), the long clip; timeline: the model's, of all of it.
        truth, model: lists of labels, one a stretch.

    Raises:
        ValueError: there are no pieces.
    """

    ORDER = "note", "sound", "controls", "picture"

    def __init__(self, pieces, classifier=None, seconds=4.0):
        if not pieces:
            raise ValueError("a long clip is made of at least one piece: give (label, samples)")
        classifier, length = classifier or Classifier.load(), round(seconds * audio.SAMPLE_RATE)
        names, cut = classifier.card["names"], []
        said = (name for name in names if name in (NEITHER, NONE))  # as the model says it
        other = next(said, datasets.OTHER)
        self.truth = [other if label == datasets.OTHER else label for label, _ in pieces]
        for _, samples in pieces:
            part = audio.fit_length(np.asarray(samples, np.float32), length)
            cut.append(0.7 * part / max(np.abs(part).max(), 1e-9))
        self.samples, self._seconds, self._over = np.concatenate(cut), seconds, False
        self._answers = [classifier.predict(part, audio.SAMPLE_RATE) for part in cut]
        self.model = [answer.best for answer in self._answers]
        self.timeline = classifier.predict(self.samples, audio.SAMPLE_RATE).timeline
        self._player = player(self.samples, audio.SAMPLE_RATE)
        names = dict.fromkeys([*sorted(set(self.truth)), *names])
        self.choices = [menu(self._when(k), ["?", *names]) for k in range(len(pieces))]
        self.compare = button("compare ▶", "Show what is true and what the model says", self._end)
        text = (
            f"A long clip of {len(pieces)} stretches, {len(self.samples) / audio.SAMPLE_RATE:.0f} s"
        )
        super().__init__([self.choices, [self.compare]], self.choices, text)

    def _when(self, k):
        return f"{k * self._seconds:g} to {(k + 1) * self._seconds:g} s"

    def _end(self, _):
        if not self.compare.disabled:
            self._over = True
            self._redraw()

    def _shown(self):
        said = [choice.value for choice in self.choices]
        for choice in self.choices:
            choice.disabled = self._over
        self.compare.disabled = self._over or "?" in said
        note = f"{len(said)} stretches of {self._seconds:g} s: what sounds in each? "
        note += f"{said.count('?')} still to choose." if "?" in said else "Now compare."
        rows = {"you": said}
        if self._over:
            note = self._board(said)
            rows = {"truly": self.truth, "you": said, "the model": self.model}
        return note, png(lambda figure: self._draw(figure, rows)), self._player

    def _board(self, said):
        """Both scores, and a line a stretch: what is true, what you said, what the model says."""
        yours, its = (sum(map(str.__eq__, who, self.truth)) for who in (said, self.model))
        of = len(self.truth)
        return f"<b>You: {yours} of {of}. The model: {its} of {of}.</b>{self._table(said)}"

    def _table(self, said=None):
        heads = "", "truly", *([] if said is None else ["you"]), "the model"
        lines = [[f"<b>{head}</b>" for head in heads]]
        for k, (label, answer) in enumerate(zip(self.truth, self._answers)):
            votes = [] if said is None else [f"{html.escape(said[k])} {_mark(said[k] == label)}"]
            share = evaluation.percent(answer.probabilities[answer.best])
            its = f"{html.escape(answer.best)} ({share}) {_mark(answer.best == label)}"
            lines.append([self._when(k), html.escape(label), *votes, its])
        cell = "<td style='text-align:left;padding-right:1.5em'>"
        rows = "".join(f"<tr>{''.join(f'{cell}{x}</td>' for x in line)}</tr>" for line in lines)
        return f"<table>{rows}</table>"

    def _draw(self, figure, rows):
        figure.subplots_adjust(right=0.84)  # the timeline's legend stands to the right
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        for line, (who, names) in enumerate(rows.items()):
            for k, name in enumerate(names):
                sign = "" if who == "truly" or not self._over else "✗✓"[name == self.truth[k]]
                colour = "white" if name == "?" else plots.colour(name)
                where = {"left": k * self._seconds, "width": self._seconds, "height": 0.9}
                upper.barh(line, color=colour, alpha=0.4, edgecolor="#333333", **where)
                middle = (k + 0.5) * self._seconds
                upper.text(middle, line, f"{name} {sign}".strip(), ha="center", va="center")
        upper.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
        if self._over:
            plots.timeline(self.timeline, ax=lower)
        else:
            plots.waveform(self.samples, ax=lower)
        ends = np.arange(len(self.truth) + 1) * self._seconds
        for end in ends[1:-1]:
            lower.axvline(end, color="#999999", linewidth=0.8)
        lower.set(xlim=(0, ends[-1]), xticks=ends)
        upper.set_title("What sounds when")

    def _still(self):
        """The clip, to be heard, and the answers folded away."""
        note = f"{len(self.truth)} stretches of {self._seconds:g} s: what sounds in each?"
        answers = f"<details><summary>Answers</summary>{self._table()}</details>"
        return note, self.picture.value, self._player + answers


def _drawn(clips, n, seconds, seed, classifier):
    """Clips for one quiz: label, path and trained_on of n clips, in random order."""
    short = clips[clips.duration <= seconds]
    short = short if len(short) >= n else clips.nsmallest(n, "duration")
    short = short[["label", "path"]].sample(frac=1, random_state=seed)
    short["trained_on"] = [_known(classifier, path) for path in short.path]
    # in each class the fresh ones first, then the first of each class, the second of each, ...
    short = short.sort_values("trained_on", key=lambda known: known.eq(True), kind="stable")
    place = short.groupby("label").cumcount().sort_values(kind="stable")
    return short.loc[place.index[:n]].sample(frac=1, random_state=seed)


def _known(classifier, path):
    try:
        return classifier.knows(path)
    except OSError:  # it will be said when the clip's turn comes
        return None


def _mark(right):
    colour, sign = ("#009E73", "✓") if right else ("#D55E00", "✗")
    return f"<b style='color:{colour}'>{sign}</b>"
