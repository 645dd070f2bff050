"""The site of the documents and the API reference: ``make docs``."""

from musicnet_build import __version__

project = "musicnet_build"
author = "The musicnet_build developers"
copyright = author
release = version = __version__

extensions = ["myst_parser", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinxcontrib.mermaid"]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"musicnet_build {release}"

myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

autosummary_generate = True
# Types stand in the docstrings, with shapes and units; signatures stay short.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
