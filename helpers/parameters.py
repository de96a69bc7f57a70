"""The values that papermill may change, checked before a lesson starts."""

import ast
import numbers
import sys

_WHOLE = (numbers.Integral, "a whole number")
_REAL = (numbers.Real, "a number")

# name: (type and its name, lowest, highest)
_LIMITS = {
    "SEED": (_WHOLE, 0, 2**31 - 1),
    "SEEDS": (_WHOLE, 1, 20),
    "DRAWS": (_WHOLE, 1, 10),
    "FOLDS": (_WHOLE, 2, 20),
    "EPOCHS": (_WHOLE, 1, 1000),
    "LADDER_EPOCHS": (_WHOLE, 1, 100),
    "BATCH_SIZE": (_WHOLE, 1, 4096),
    "LEARNING_RATE": (_REAL, 1e-7, 1.0),
}


def check(**declared: object) -> None:
    """Stop with a clear message if a parameter is misspelt or impossible.

    A name that papermill injected but the lesson does not declare is an error too: papermill
    itself accepts it and changes nothing.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        **declared: every parameter of the lesson, by its name and present value.

    Raises:
        ValueError: names the parameter, its value, and what would be right.

    >>> check(SEED=0, EPOCHS=3, DATASET="auto")
    >>> check(EPOCHS=0)
    Traceback (most recent call last):
    ValueError: EPOCHS must be a whole number from 1 to 1,000, not 0
    """
    injected = _injected_names()
    unknown = sorted(injected - set(declared))
    if unknown:
        raise ValueError(
            f"unknown parameter {', '.join(unknown)}: "
            f"this lesson's parameters are {', '.join(sorted(declared))}"
        )
    for name, value in declared.items():
        if name in _LIMITS:
            _check_number(name, value)
        elif not isinstance(value, str) or not value.strip():
            raise ValueError(f"{name} must be a text that is not empty, not {value!r}")
    if injected:
        print(f"{', '.join(sorted(injected))} given: the text reads the committed run.")


def _check_number(name, value):
    (kind, kind_name), low, high = _LIMITS[name]
    is_number = isinstance(value, kind) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:
        raise ValueError(f"{name} must be {kind_name} from {low:,} to {high:,}, not {value!r}")


def _injected_names():
    """Names assigned in the cell that papermill inserts; none outside a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    cells = shell.user_ns.get("In", []) if shell else []
    injected = [cell for cell in cells if cell.startswith("# Parameters\n")]
    if not injected:
        return set()
    targets = [
        target
        for node in ast.parse(injected[-1]).body
        if isinstance(node, ast.Assign)
        for target in node.targets
    ]
    return {target.id for target in targets if isinstance(target, ast.Name)}
