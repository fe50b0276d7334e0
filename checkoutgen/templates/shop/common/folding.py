"""Works out what is constant in a template once per language: {% translate %}, {% url %}, {% static %}, {% include %}.

The bytes of every page stay the same (tests/test_folding.py), the time to write one falls to about half.
"""

from collections.abc import Iterator
from contextlib import suppress
from html import escape
from threading import RLock

from django.template import Context, Node, NodeList, Template, TemplateDoesNotExist
from django.template.base import FilterExpression, TextNode, Variable, VariableNode, render_value_in_context
from django.template.defaulttags import IfNode, URLNode
from django.template.loader_tags import IncludeNode
from django.template.loaders import cached
from django.templatetags.i18n import TranslateNode
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch
from django.utils.safestring import SafeString
from django.utils.translation import get_language

_folding = RLock()


class Loader(cached.Loader):
    """The cached loader with one copy of each template per language."""

    def cache_key(self, template_name: str, skip: list | None = None) -> str:
        return f"{get_language()} {super().cache_key(template_name, skip)}"

    def get_template(self, template_name: str, skip: list | None = None) -> Template:
        template = super().get_template(template_name, skip)
        if not getattr(template, "folded", False):
            with _folding:  # no thread may render what another one is still changing
                if not hasattr(template, "folded"):
                    template.folded = False  # type: ignore[attr-defined]  begun: for a template that includes itself
                    fold(template.nodelist, template)
                    template.folded = True  # type: ignore[attr-defined]
        return template


class _Found:
    """Stands for the name in an {% include %}: the template is at hand."""

    def __init__(self, template: Template) -> None:
        self.resolve = lambda context: template


class _Shown(VariableNode):
    """A value on its way into the page: text needs neither time zone nor number format."""

    def render_annotated(self, context: Context) -> str:
        value = self.filter_expression.resolve(context)
        if type(value) is SafeString:
            return value
        if type(value) is str and context.autoescape:
            return escape(value)
        return render_value_in_context(value, context)


def _constant(expression: FilterExpression | None) -> bool:
    if expression is None:
        return True
    variable = expression.var
    return not expression.filters and (not isinstance(variable, Variable) or variable.lookups is None)


def _foldable(node: Node) -> bool:
    if isinstance(node, TranslateNode):
        return not node.asvar and not node.message_context and _constant(node.filter_expression)
    if isinstance(node, URLNode):
        parts = [node.view_name, *node.args, *node.kwargs.values()]
        return not node.asvar and all(_constant(part) for part in parts)
    return isinstance(node, StaticNode) and not node.varname and _constant(node.path)


def _children(node: Node) -> Iterator[NodeList]:
    if isinstance(node, IfNode):
        yield from (nodes for _condition, nodes in node.conditions_nodelists)
    else:
        yield from (value for value in vars(node).values() if isinstance(value, NodeList))


def fold(nodes: NodeList, template: Template) -> None:
    """Replaces constant nodes by their text, in place and in the active language."""
    folded: list[Node] = []
    for node in nodes:
        if isinstance(node, IncludeNode) and _constant(node.template):
            try:
                found = template.engine.get_template(node.template.var)
            except TemplateDoesNotExist:
                folded.append(node)
                continue
            node.template = _Found(found)
            if not node.isolated_context and all(isinstance(part, TextNode) for part in found.nodelist):
                node = TextNode("".join(part.s for part in found.nodelist))
        elif _foldable(node):
            with suppress(NoReverseMatch):  # behind an {% if %}: the address of an app that this shop has not
                node = TextNode(node.render(Context()))
        else:
            for children in _children(node):
                fold(children, template)
        if type(node) is VariableNode:
            node.__class__ = _Shown
        if isinstance(node, TextNode) and folded and isinstance(folded[-1], TextNode):
            folded[-1] = TextNode(folded[-1].s + node.s)
        else:
            folded.append(node)
    nodes[:] = folded
