"""The one number a lesson is remembered by, where the course's runner finds it."""

import html
import math

MIME = "application/vnd.barks-meows.headline+json"


def show(name: str, value: float, text: str) -> None:
    """Show a lesson's headline number and mark it for the table that `make run` prints.

    Taught in notebooks/00_start_here.ipynb.

    Args:
        name: what the number is, such as "test accuracy".
        value: the number.
        text: the number as a reader should see it, with unit and interval.

    Raises:
        ValueError: the value is not finite.
    """
    from IPython.display import display

    value = float(value)
    if not math.isfinite(value):
        raise ValueError(f"the headline {name!r} is {value}, not a finite number")
    data = {MIME: {"name": name, "value": round(value, 4), "text": text}}
    # JupyterLab breaks plain text anywhere, and HTML between words
    data["text/html"] = f"<b>{html.escape(name)}</b>: {html.escape(text)}"
    display(data | {"text/plain": f"{name}: {text}"}, raw=True)
