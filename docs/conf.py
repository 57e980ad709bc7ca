"""How the documentation is built; its reference pages are made from the code first."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import SphinxTranslator

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import vertebro  # noqa: E402 - the path above comes first
from tools.reference_pages import write_pages  # noqa: E402

project = "vertebro"
author = "The vertebro authors"
copyright = "the vertebro authors"
version = release = vertebro.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
# a name such as Finding is offered by the package that owns it and by those that pass it on
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"vertebro {release}"
html_show_sourcelink = False
html_math_renderer = "mathml"

write_pages(HERE)


def _visit_inline_math(translator: SphinxTranslator, node: nodes.math) -> None:
    translator.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def _visit_math_block(translator: SphinxTranslator, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Write formulas as MathML, which browsers draw themselves; pages fetch nothing from elsewhere."""
    app.add_html_math_renderer("mathml", (_visit_inline_math, None), (_visit_math_block, None))
