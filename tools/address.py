"""Write the address in pyproject.toml into every badge, setup cell and link to the book.

python tools/address.py
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
BADGE = re.compile(r"(https://colab\.research\.google\.com/github)/[^/\s]+/[^/\s]+(/blob/)")
ISSUES = re.compile(r"(https://github\.com)/[^/\s]+/[^/\s]+(/issues\b)")
SITE = re.compile(r"https://[\w.-]+\.github\.io/[\w.-]+/")  # the book, as site/conf.py has it
COURSE = re.compile(r'^COURSE = ".*"$', re.MULTILINE)
CLONE = re.compile(r"git clone \S+ course")


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="another copy of the course")
    try:
        url, changed = update(parser.parse_args(argv).root)
    except ValueError as error:
        print(f"address.py: {error}", file=sys.stderr)
        return 2
    print(f"The course is at {url}")
    print("\n".join(f"  written into {name}" for name in changed) or "  as every file says already")
    return 0


def update(root):
    """Change what names another address: (the address, the files that were changed)."""
    facts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    url = facts["project"]["urls"]["Repository"]
    repository = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)(?<!\.git)", url)
    if not repository:
        raise ValueError(
            f"Repository in pyproject.toml is {url!r}; Colab opens "
            "https://github.com/OWNER/NAME, without .git or a slash at the end"
        )
    lessons = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    changed = []
    for path in [root / "README.md", *lessons]:
        before = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            after = in_lesson(before, url, repository[1])
        else:
            after = CLONE.sub(f"git clone {url} course", links(before, repository[1]))
            after = SITE.sub("https://{}.github.io/{}/".format(*repository[1].split("/")), after)
        if after != before:
            path.write_text(after, encoding="utf-8", newline="\n")
            changed.append(path.relative_to(root).as_posix())
    return url, changed


def links(text, repository):
    for link in (BADGE, ISSUES):
        text = link.sub(rf"\g<1>/{repository}\g<2>", text)
    return text


def in_lesson(text, url, repository):
    """The notebook's text with another address, and otherwise the same bytes."""
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = links(cell.source, repository)
        elif "setup" in cell.metadata.get("tags", []):
            cell.source = COURSE.sub(f'COURSE = "{url}"', cell.source)
    return nbformat.writes(notebook) + "\n"


if __name__ == "__main__":
    sys.exit(main())
