"""The book: the committed lessons with their outputs, as Sphinx and MyST-NB show them.

tools/book.py lays out the sources and calls Sphinx; nothing is executed, and no page asks another
server for a script, a style or a font.
"""

import json
import os
import re
import sys
import tomllib
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import report  # noqa: E402

_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
_ADDRESS = _PROJECT["urls"]["Repository"]
_OWNER, _NAME = _ADDRESS.split("/")[-2:]

project = "Barks & Meows"
author = "the authors of Barks & Meows"
version = release = _PROJECT["version"]
language = "en"

extensions = ["myst_nb", "sphinx_copybutton"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "off"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
# Code of an exercise has ... in it, of a recipe $ and %: what Pygments does not know stays text.
# A lesson's headings follow its story, and not every level is there.
suppress_warnings = ["misc.highlighting_failure", "myst.header", "mystnb.unknown_mime_type"]

mathjax_path = "mathjax/tex-mml-chtml.js"
mathjax4_config = {
    "loader": {"paths": {"mathjax-newcm": "[mathjax]/../mathjax-newcm-font"}},
    "output": {"fontPath": "[mathjax]/../%%FONT%%-font"},
}

html_theme = "sphinx_book_theme"
html_title = "Barks & Meows"
html_baseurl = f"https://{_OWNER}.github.io/{_NAME}/"
html_static_path = ["static", os.environ.get("BOOK_STATIC", "static")]
html_css_files = ["book.css"]
html_favicon = html_logo = "static/mark.svg"
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {
    "repository_url": _ADDRESS,
    "repository_branch": "main",
    "path_to_docs": "",
    "use_repository_button": True,
    "use_download_button": True,
    "use_fullscreen_button": False,
    "launch_buttons": {"colab_url": "https://colab.research.google.com"},
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "logo": {"text": "Barks & Meows"},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "extra_footer": "Code: MIT. Texts: CC BY 4.0. Synthetic sounds: CC0.",
}

_BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
_LINK = re.compile(r"(\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\()([^)\s]+)(\))")
_TRY = "\n\n```{tip}\n[Try the model](try.md): it answers in this browser.\n```\n"
_CONTENTS = """

```{toctree}
:hidden:
:caption: The model
try
```

```{toctree}
:hidden:
:caption: Lessons
:glob:
notebooks/[0-9]*
```
"""
_MORE = {
    "Look up": ["notebooks/glossary", "notebooks/references"],
    "More": [
        "TEACHING",
        "data/README",
        "data/pretrained/README",
        "benchmarks/README",
        "CONTRIBUTING",
        "CHANGELOG",
    ],
}


def setup(app):
    app.connect("source-read", _read)


def _read(app, docname, source):
    """What the book changes in a page's source; the file that one downloads stays as it is."""
    found = app.env.found_docs
    if docname == "index":
        title, rest = source[0].split("\n", 1)
        source[0] = _in_book(title + _TRY + rest, docname, found) + _CONTENTS + _contents(found)
    elif app.env.doc2path(docname).suffix != ".ipynb":
        source[0] = _in_book(source[0], docname, found)
    else:
        lesson = report.without_widgets(json.loads(source[0]))
        for cell in lesson["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = _in_book("".join(cell["source"]), docname, found)
            elif "setup" in cell["metadata"].get("tags", []):
                cell["metadata"]["tags"].append("hide-input")
        source[0] = json.dumps(lesson)


def _contents(found):
    trees = []
    for caption, names in _MORE.items():
        names = [name for name in names if name in found]
        if names:
            lines = "\n".join(names)
            trees.append(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n{lines}\n```\n")
    return "\n".join(["", *trees])


def _in_book(text, docname, found):
    """Links lead to the book's pages, and to the repository for files that the book leaves out."""
    folder = PurePosixPath(docname).parent

    def lead(match):
        before, target, after = match.groups()
        if re.match(r"[a-z]+:|#|/", target):
            return match[0]
        path, hash_, anchor = target.partition("#")
        path = os.path.normpath(folder / path)
        name = os.path.splitext(path)[0]
        if path == "README.md":
            name = "index"
        elif f"{path}/README" in found:
            name = f"{path}/README"
        if name in found:
            ending = ".ipynb" if path.endswith(".ipynb") else ".md"
            inside = os.path.relpath(name + ending, folder)
            return f"{before}{PurePosixPath(inside)}{hash_}{anchor}{after}"
        if (ROOT / path).exists() and not path.endswith((".png", ".svg", ".gif")):
            kind = "tree" if (ROOT / path).is_dir() else "blob"
            return f"{before}{_ADDRESS}/{kind}/main/{path}{hash_}{anchor}{after}"
        return match[0]

    return _LINK.sub(lead, text.replace(_BADGE, "/colab-badge.svg"))
