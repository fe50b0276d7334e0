"""Works out what is constant in a template once per language: {% translate %}, {% url %}, {% static %}, {% include %},
{% extends %}; and takes shorter ways to what is not, without the notes for developers that DEBUG=1 shows.

The bytes of every page stay the same (tests/test_folding.py), the time to write one falls to about a third.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from html import escape
from threading import RLock
from typing import Any

from django.conf import settings
from django.template import Context, Node, NodeList, Template, TemplateDoesNotExist
from django.template.base import FilterExpression, TextNode, Variable, VariableNode, render_value_in_context
from django.template.defaulttags import CycleNode, ForNode, IfChangedNode, IfNode, URLNode
from django.template.loader_tags import BlockNode, ExtendsNode, IncludeNode
from django.template.loaders import cached
from django.template.smartif import TokenBase
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
                    if not template.engine.debug:
                        _shorten(template.nodelist, template)
                    template.folded = True  # type: ignore[attr-defined]
        return template


class _Found:
    """Stands for the name in an {% include %}: the template is at hand."""

    def __init__(self, template: Template) -> None:
        self.resolve = lambda context: template


class _Shown(VariableNode):
    """A value on its way into the page: text needs neither time zone nor number format."""

    def render(self, context: Context) -> str:
        value = self.filter_expression.resolve(context)
        if type(value) is SafeString:
            return value
        if type(value) is str and context.autoescape:
            return escape(value)
        if type(value) is int and not settings.USE_THOUSAND_SEPARATOR:
            return str(value)
        return render_value_in_context(value, context)

    render_annotated = render


class _Set(Node):
    """{% translate "words" as name %}"""

    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value

    def render(self, context: Context) -> str:
        context[self.name] = self.value
        return ""


@cache
def _calls(kind: type) -> bool:
    return any("__call__" in vars(each) for each in kind.__mro__)


@cache
def _subscripts(kind: type) -> bool:
    return hasattr(kind, "__getitem__")


class _Name(Variable):
    """A name, and keys and attributes behind it, where plain dictionaries and objects have them; else Django's way."""

    __slots__ = ()

    def resolve(self, context: Context) -> Any:
        value: Any = None
        first, *others = self.lookups
        for scope in reversed(context.dicts):
            if first in scope:
                value = scope[first]
                break
        else:
            return super().resolve(context)
        for name in others:
            kind = type(value)
            try:
                if kind is dict:
                    value = value[name]
                elif _subscripts(kind) or _calls(kind):
                    return super().resolve(context)
                else:
                    value = getattr(value, name)
            except (KeyError, AttributeError):
                return super().resolve(context)
        return super().resolve(context) if _calls(type(value)) else value


class _Included(IncludeNode):
    """An {% include %} whose template is at hand and keeps no notes of its own while it renders."""

    def render(self, context: Context) -> SafeString:
        with context.push(**{name: value.resolve(context) for name, value in self.extra_context.items()}):
            return self.found.nodelist.render(context)


class _Shorter(NodeList):
    parts: list[str | Callable[[Context], str]]

    def render(self, context: Context) -> SafeString:
        return SafeString("".join([part if type(part) is str else part(context) for part in self.parts]))

    @cache  # noqa: B019  kept as long as the template
    def get_nodes_by_type(self, nodetype: type) -> list[Node]:
        return super().get_nodes_by_type(nodetype)

    __hash__ = object.__hash__


class _Loop(Node):
    """What stands in a {% for %}, as one node."""

    def __init__(self, nodes: NodeList) -> None:
        self.nodelist = nodes
        self.render_annotated = nodes.render


_KEEPING = (BlockNode, CycleNode, ExtendsNode, IfChangedNode)


def _constant(expression: FilterExpression | None) -> bool:
    if expression is None:
        return True
    variable = expression.var
    return not expression.filters and (not isinstance(variable, Variable) or variable.lookups is None)


def _foldable(node: Node) -> bool:
    if isinstance(node, TranslateNode):
        return not node.message_context and _constant(node.filter_expression)
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
            elif not node.isolated_context and not found.nodelist.get_nodes_by_type(_KEEPING):
                node.__class__, node.found = _Included, found
        elif isinstance(node, TranslateNode) and node.asvar and _foldable(node):
            context = Context()
            node.render(context)
            node = _Set(node.asvar, context[node.asvar])
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


def _names(thing: Any) -> Iterator[Variable]:
    """The variables of a node, wherever it keeps them."""
    if isinstance(thing, Variable):
        yield thing
    elif isinstance(thing, FilterExpression):
        yield from _names([thing.var, thing.filters])
    elif isinstance(thing, TokenBase):
        yield from _names([thing.first, thing.second, thing.value])
    elif isinstance(thing, dict):
        yield from _names(list(thing.values()))
    elif isinstance(thing, list | tuple) and not isinstance(thing, NodeList):
        for each in thing:
            yield from _names(each)


def _shorten(nodes: NodeList, template: Template) -> None:
    for node in nodes:
        for name in _names(list(vars(node).values())):
            if name.lookups is not None and not isinstance(node, TranslateNode):  # which translates what it finds
                name.__class__ = _Name
        if isinstance(node, ExtendsNode):
            _find_parent(node, template)
        for children in _children(node):
            _shorten(children, template)
        if isinstance(node, ForNode):
            node.nodelist_loop = NodeList([_Loop(node.nodelist_loop)])
    nodes.__class__ = _Shorter
    nodes.parts = ["".join([node.s]) if isinstance(node, TextNode) else node.render for node in nodes]


def _find_parent(node: ExtendsNode, template: Template) -> None:
    """Once, unless a template extends another one of its own name: that depends on who asks."""
    name = node.parent_name
    if _constant(name) and name.var != template.name:
        parent = template.engine.get_template(name.var)
        node.get_parent = lambda context: parent
