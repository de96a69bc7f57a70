"""An executed lesson as one HTML file that shows all of it without a network and without Jupyter.

What nbconvert's own page would fetch is there from the start: formulas are drawn, a widget is its
picture and its players, pictures are embedded, and the badge of Colab is a word.
"""

import copy
import html
import re

from jinja2 import pass_context
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath, text_to_path
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

WIDGET = "application/vnd.jupyter.widget-view+json"
FONT = FontProperties(size=115, math_fontfamily="stix")  # as large as text of 100 units an em
TEMPLATE = """{% extends 'lab/index.html.j2' %}
{% block html_head_js %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block html_head_css %}{{ super() }}
<style>@media print {pre {white-space: pre-wrap !important; overflow-wrap: anywhere}}</style>
{% endblock %}
{% block data_png scoped %}{{ super() | replace("<img ", alt(cell), 1) }}{% endblock %}"""


def render(notebook, name, folder):
    """HTML of an executed notebook; links to other lessons lead to their reports.

    A link to the glossary or the references is its word alone: a report stands by itself.

    Args:
        notebook: as nbformat reads it; it is left as it is.
        name: the page's title.
        folder: where pictures named in the text are found.
    """
    resources = {"metadata": {"name": name, "path": str(folder)}}
    exporter = Exporter(raw_template=TEMPLATE)
    exporter.environment.globals["alt"] = alt
    page, _ = exporter.from_notebook_node(without_widgets(notebook), resources)
    page = re.sub(r'<a href="(?:glossary|references)\.md(?:#[^"]*)?">(.*?)</a>', r"\1", page)
    return re.sub(r'(href="\d\d_\w+)\.ipynb(["#])', r"\1.html\2", page)


def alt(cell):
    """The beginning of a picture's tag, with its cell's words for those who do not see it."""
    words = cell.metadata.get("alt")
    return f'<img alt="{html.escape(words)}" ' if words else "<img "


def without_widgets(notebook):
    """A copy in which a widget is what it falls back on: a picture and players, or its words."""
    notebook = copy.deepcopy(notebook)
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)
        if "outputs" in cell:  # a panel's widget is an output of its own, beside its still
            cell["outputs"] = [one for one in cell["outputs"] if one.get("data", True)]
    return notebook


def formula(tex, block=False):
    """One TeX formula as SVG that needs no font, set on the base of its line.

    Raises:
        ValueError: Matplotlib, which sets it, does not know a command in it.
    """
    source = " ".join(tex.split())
    # Matplotlib has no displaystyle, so that large fractions are asked for one by one
    text = f"${source.replace(chr(92) + 'frac', chr(92) + 'dfrac') if block else source}$"
    width, height, depth = text_to_path.get_text_width_height_descent(text, FONT, ismath=True)
    drawn = TextPath((0, 0), text, prop=FONT)
    commands = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}
    d = "".join(
        commands[code] + ("" if code == 79 else " ".join(f"{value:.0f}" for value in values))
        for values, code in drawn.iter_segments(simplify=False, curves=True)
    )
    style = f"height:{height / 100:.2f}em;vertical-align:{-depth / 100:.2f}em;max-width:100%"
    svg = (
        f'<svg class="formula" role="img" aria-label="{html.escape(source)}" style="{style}" '
        f'viewBox="0 {depth - height:.0f} {width:.0f} {height:.0f}" fill="currentColor">'
        f'<path transform="scale(1,-1)" d="{d}"/></svg>'
    )
    return (
        f'<span style="display:block;text-align:center;margin:1em 0">{svg}</span>' if block else svg
    )


TAG = r"""<(?:img|audio|video|source|iframe|script|link)\b(?:"[^"]*"|'[^']*'|[^>"'])*>"""
ELSEWHERE = r"""(?<![\w-])(?:src|srcset|href)\s*=\s*["']?\s*(?:https?:)?//"""
WORDS = r"""(?<![\w-])alt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))"""


def offline(text):
    """HTML in which a picture that lies elsewhere is the words that stand for it."""

    def words(tag):
        if not re.search(ELSEWHERE, tag[0], re.IGNORECASE):
            return tag[0]
        said = re.search(WORDS, tag[0], re.IGNORECASE)
        return next(filter(None, said.groups()), "") if said else ""

    return re.sub(TAG, words, text, flags=re.IGNORECASE)


class Exporter(HTMLExporter):
    """nbconvert's page with this module's rendering of text."""

    @pass_context
    def markdown2html(self, context, source):
        renderer = Renderer(
            escape=False,
            path=context["resources"]["metadata"]["path"],
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=True,
            anchor_link_text=self.anchor_link_text,
        )
        return MarkdownWithMath(renderer=renderer).render(source)


class Renderer(IPythonRenderer):
    """Markdown to HTML that asks for nothing from elsewhere."""

    def block_math(self, body):
        return self.math(body, block=True)

    def inline_math(self, body):
        return self.math(body)

    def math(self, body, block=False):
        try:
            return formula(body, block)
        except ValueError:
            return f"<code>{html.escape(body)}</code>"

    def block_html(self, text):
        # parsed by nbconvert, a <details> would end before its solution
        return offline(text) + "\n"

    def inline_html(self, text):
        return offline(text)

    def image(self, text, url, title=None):
        if re.match(r"https?:", url):
            return html.escape(text)
        return super().image(text, url, title)
