"""Lesson 04, Train a CNN: what is right, and what to say of a wrong answer."""


def _conv_parameters(answer):
    if answer == 3 * 3 * 32 * 64:
        return "Nearly: each filter also has a bias."
    if answer in (3 * 3 * 64, (3 * 3 + 1) * 64):
        return "A filter looks at all 32 channels, not at one."
    if answer != 18_496:
        return "Count the values of one filter, 3 × 3 × channels, and a bias; times the filters."
    return None


def _conv_shape(answer):
    rows, columns = answer
    if (rows, columns) == (34, 34):
        return "That is after the convolution. Pooling is still to come."
    if (rows, columns) == (20, 20):
        return "Without padding the filter cannot stand on the border: the convolution shrinks too."
    if (rows, columns) != (17, 17):
        return "At how many places does a filter of 7 fit along a line of 40? Halve that."
    return None


def _all_cats(answer):
    printed, true = answer
    if max(printed, true) > 1:
        return "Answer with shares from 0 to 1."
    if abs(printed - 0.5) < 0.01:
        return "In truth half are cats. But which label has the article's code given to the dogs?"
    if abs(printed - 1) > 0.001:
        return "All labels are 0, and all answers too: which share agrees?"
    if abs(true - 0.5) > 0.001:
        return "For the true accuracy, count the cats among the 98 clips."
    return None


EXERCISES = {  # number: judge, and what to say of a right answer
    "04.1": (_conv_parameters, "The next layer, 128 filters of 7 × 7, has 22 times as many."),
    "04.2": (
        _conv_shape,
        "Without padding a filter of 7 takes 6 away each way; pooling halves the rest.",
    ),
    "04.3": (
        _all_cats,
        "A perfect score for knowing nothing: the line only counts what is called cat.",
    ),
}
