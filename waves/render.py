"""Templates: everything that they show is escaped, for traces and names are foreign input."""

from __future__ import annotations

from functools import cache

import jinja2


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("waves", "templates"),
        autoescape=jinja2.select_autoescape(("html", "svg"), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    return environment


def plain(text: str) -> str:
    """One line that ends no code block and no table cell of Markdown."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line.replace("```", "'''").replace("|", "\\|")


def template(name: str) -> jinja2.Template:
    """The template `name`.j2's compiled form; .html and .svg escape what they are given."""
    return _environment().get_template(name)
