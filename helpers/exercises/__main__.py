"""What is solved, in a terminal: python -m helpers.exercises, with a name for the certificate."""

import sys

from helpers import exercises


def main(argv=None):
    words = sys.argv[1:] if argv is None else argv
    exercises.progress(" ".join(words))


if __name__ == "__main__":
    main()
