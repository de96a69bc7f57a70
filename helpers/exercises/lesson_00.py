"""Lesson 00, Start here: what is right, and what to say of a wrong answer."""


def _dogs_in_test(answer):
    count, catalog = answer
    dogs = catalog.label == "dog"
    if count == int((dogs & (catalog.split == "test")).sum()):
        return None
    if count == int(dogs.sum()):
        return "These are all dogs, those of the training part among them."
    if count == int((catalog.split == "test").sum()):
        return "These are all test clips, cats among them."
    return "Count the rows of which both hold: the split is test, and the label is dog."


def _majority_accuracy(answer):
    share, catalog = answer
    labels = {part: catalog[catalog.split == part].label for part in ("train", "test")}
    right = (labels["test"] == labels["train"].value_counts().idxmax()).mean()
    if abs(share - right) < 0.005:
        return None
    if abs(share - 100 * right) < 0.5:
        return "Give it as a share from 0 to 1, not in percent."
    if abs(share - (labels["train"] == labels["train"].value_counts().idxmax()).mean()) < 0.005:
        return "That is its accuracy on the training part; the test part is asked for."
    return "Take the commonest label of the training part: which share of the test clips bears it?"


EXERCISES = {  # number: judge, and what to say of a right answer
    "00.1": (_dogs_in_test, "Lesson 05 shows what so few clips can tell, and what they cannot."),
    "00.2": (_majority_accuracy, "A model must beat this before it has shown anything at all."),
}
