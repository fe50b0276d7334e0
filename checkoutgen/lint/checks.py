"""The kinds of check that a rule file can ask for. Each takes one item of the rule's ``check`` list and makes of it
the function that judges a case: what can be worked out of the item alone is worked out once.

| item            | judges                                                                                      |
|-----------------|---------------------------------------------------------------------------------------------|
| ``need: paths`` | each path of the resolved spec has a value                                                  |
| ``must: {…}``   | conditions on the spec, or with ``each: path`` on every element there (``when: {…}`` picks)   |
| ``page: name``  | a legal page has a text in each of the market's languages                                   |
| ``text: pages`` | those pages together say (``has``) or do not say (``hasnt``) a phrase, by language           |
| ``texts: paths``| texts of the spec at these paths do not say (``hasnt``) a phrase                             |
| ``mail: name``  | the mail is sent                                                                             |
| ``in_mail: …``  | the mails of these names, as the shop would write them for this spec, say (``has``) a phrase |
| ``in_page: …``  | the same for pages of the shop, by the names in `rendered.PAGES`                              |
| ``words: …``    | a button's words against the lists of `locales/<language>/labels.json`                      |
| ``python``      | ``check(case)`` in the file of the rule's name                                               |
| ``shop: where`` | nothing: the generated shop always does it, as the tests of each ``proof`` show              |
| ``unjudged: …`` | nothing: the reason is listed instead                                                        |

``given: true`` beside ``need`` and ``must`` asks for what the author wrote, not for a default. Any item may carry
``when`` (conditions on the spec), ``from``/``to`` (days), ``say``, ``severity`` and ``fix``."""

from __future__ import annotations

import contextlib
import json
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from checkoutgen.lint import conditions, paths
from checkoutgen.lint import texts as phrases
from checkoutgen.lint.case import Case, Outcome, labels, reader
from checkoutgen.lint.model import SEVERITIES, Rule
from checkoutgen.lint.rulebook import rules

Judge = Callable[[Case], Iterator[Outcome]]
Kind = Callable[[dict[str, Any], Rule], Judge]
SHOWN = 80


def shown(value: Any) -> str:
    """A value of the spec as a message can carry it: short and on one line."""
    if isinstance(value, dict):
        value = next((text for text in value.values() if isinstance(text, str)), "given")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = ", ".join(value)
    text = " ".join(str(value).split())
    text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"


def _say(item: dict[str, Any], default: str, **words: Any) -> str:
    return str(item.get("say", default)).format_map({key: shown(value) for key, value in words.items()} | {"": ""})


def need(item: dict[str, Any], rule: Rule) -> Judge:
    wanted = [item["need"]] if isinstance(item["need"], str) else item["need"]
    choices = [[(name, reader(name)) for name in map(str.strip, path.split("|"))] for path in wanted]

    def judge(case: Case) -> Iterator[Outcome]:
        for names in choices:
            for name, look_up in names:
                value = look_up(case)
                if not conditions.is_empty(value) and _counts(case, item, name):
                    if case.review:
                        yield Outcome(True, name, shown(value))
                    break
            else:
                first = names[0][0]
                missing = f"`{' or '.join(name for name, _ in names)}` is missing"
                yield Outcome(False, first, _say(item, missing, path=first))

    return judge


def _counts(case: Case, item: dict[str, Any], path: str) -> bool:
    """With ``given: true`` a default is not enough: the author has to have written it."""
    return not item.get("given") or case.given(path)


def must(item: dict[str, Any], rule: Rule) -> Judge:
    """``{market}`` inside a condition stands for the market's code."""
    if "{market}" not in repr(item["must"]):
        return _must(item)
    text = json.dumps(item["must"])
    filled = cache(lambda market: _must({**item, "must": json.loads(text.replace("{market}", market))}))
    return lambda case: filled(case.market)(case)


def _must(item: dict[str, Any]) -> Judge:
    if "each" in item:
        return _must_each(item)
    wanted = item["must"]
    first_broken = conditions.first_broken(wanted, reader)

    def judge(case: Case) -> Iterator[Outcome]:
        broken = first_broken(case)
        if broken is None and not case.review:
            return
        path = str(item.get("at") or broken or next(iter(wanted))).replace("{market}", case.market)
        if broken is None:
            yield Outcome(True, path, shown(case.get(path)))
        else:
            yield Outcome(
                False,
                path,
                _say(item, "`{path}` is not as it must be", path=broken, value=case.get(broken), market=case.market),
            )

    return judge


def _must_each(item: dict[str, Any]) -> Judge:
    wanted = item["must"]
    first_broken = conditions.first_broken(wanted, _of_element)
    picked = conditions.match(item.get("pick", {}), _of_element)

    def judge(case: Case) -> Iterator[Outcome]:
        for here, element in case.each(item["each"]):
            if not picked(element):
                continue
            broken = first_broken(element)
            if broken is None and item.get("given"):
                broken = next((path for path in wanted if not case.given(paths.join(here, path))), None)
            if broken is not None:
                name, value = _called(element), _of_element(broken)(element)
                yield Outcome(
                    False,
                    paths.join(here, item.get("at", "" if broken == "." else broken)),
                    _say(item, "`{path}` is not as it must be", path=broken, value=value, name=name or here),
                )
            elif case.review:
                yield Outcome(True, here, _called(element))

    return judge


def _of_element(path: str) -> conditions.Getter:
    return (lambda element: element) if path == "." else paths.getter(path)


def _called(element: Any) -> str:
    """What an element of a list goes by."""
    if not isinstance(element, dict):
        return shown(element)
    return shown(next((element[key] for key in ("id", "code", "sku", "scheme") if element.get(key)), ""))


def page(item: dict[str, Any], rule: Rule) -> Judge:
    name = item["page"]

    def judge(case: Case) -> Iterator[Outcome]:
        lacking = tuple(language for language in case.languages if not case.texts.page(name, language).is_written)
        if lacking:
            path = f"legal.pages.{name}" if name in case.texts.pages else "legal.pages"
            yield Outcome(False, path, _say(item, f"There is no `{name}` page"), languages=lacking)
        elif case.review:
            yield Outcome(True, f"legal.pages.{name}", f"page `{name}` in {', '.join(case.languages)}")

    return judge


def text(item: dict[str, Any], rule: Rule) -> Judge:
    names = [item["text"]] if isinstance(item["text"], str) else item["text"]

    def judge(case: Case) -> Iterator[Outcome]:
        pages = [name for name in (case.texts.pages if names == ["any"] else names) if name in case.texts.pages]
        if "hasnt" in item:
            yield from _hasnt(case, item, pages)
        if "has" in item:
            yield from _has(case, item, pages, names)

    return judge


def _has(case: Case, item: dict[str, Any], pages: list[str], names: list[str]) -> Iterator[Outcome]:
    lacking: dict[str, list[str]] = {}
    for language in case.languages:
        said = item["has"].get(language, item["has"].get("any"))
        if said is None:
            if case.review:
                yield Outcome(None, "legal.pages", f"no phrases are known for the language {language}")
            continue
        written = {name: page for name in pages if (page := case.texts.page(name, language)).is_written}
        if not written:
            continue  # the page itself is missing: another rule says so, once
        for phrase in [said] if isinstance(said, str) else said:
            wanted_words = _filled(case, phrase)
            for name, page in written.items():
                if page.says(wanted_words):
                    if case.review:
                        yield Outcome(
                            True, f"legal.pages.{name}", f"{language}: “{_excerpt(page.plain, wanted_words)}”"
                        )
                    break
            else:
                lacking.setdefault(f"legal.pages.{next(iter(written))}", []).append(language)
    for path, languages in lacking.items():
        message = _say(item, "the text does not say what it must", pages=", ".join(names))
        yield Outcome(False, path, message, languages=tuple(dict.fromkeys(languages)))


def _excerpt(plain: str, phrase: str) -> str:
    span = phrases.find(plain, phrase)
    return phrases.excerpt(plain, span) if span else ""


_VALUE = re.compile(r"\{([a-z_.]+)\}")


def _filled(case: Case, phrase: str) -> str:
    """``{seller.email}`` in a phrase stands for the spec's value; what is not given is left out of the alternatives."""
    return _VALUE.sub(lambda match: str(case.get(match[1]) or ""), phrase) if "{" in phrase else phrase


def _hasnt(case: Case, item: dict[str, Any], pages: list[str]) -> Iterator[Outcome]:
    for name in pages:
        for language in case.languages:
            banned = item["hasnt"].get(language, item["hasnt"].get("any"))
            if banned is None:
                continue
            page = case.texts.page(name, language)
            for phrase in [banned] if isinstance(banned, str) else banned:
                if not page.says(phrase):
                    continue
                plain = page.plain
                spans = phrases.every(plain, phrase)
                span = next(
                    (span for span in spans if not _excused(plain, span, item.get("unless", {}).get(language))), None
                )
                if span:
                    message = _say(item, "the text says “{value}”", value=plain[slice(*span)])
                    yield Outcome(
                        False,
                        f"legal.pages.{name}",
                        message,
                        languages=(language,),
                        file=language,
                        line=page.line(phrase),
                    )
                    break


def _excused(plain: str, span: tuple[int, int], excuse: str | None) -> bool:
    """Whether the words around say the opposite ("not", "unaffected", …)."""
    near = plain[max(0, span[0] - 160) : span[1] + 160]
    return bool(excuse and phrases.find(near, excuse))


def texts(item: dict[str, Any], rule: Rule) -> Judge:
    def judge(case: Case) -> Iterator[Outcome]:
        for path in item["texts"]:
            for here, written in case.each(path):
                if not isinstance(written, dict):
                    continue
                for language in case.languages:
                    phrase = item["hasnt"].get(language, item["hasnt"].get("any"))
                    said = written.get(language)
                    if not (phrase and isinstance(said, str)):
                        continue
                    plain = phrases.normalise(said)
                    span = phrases.find(plain, phrase)
                    if span and not _has_proof(case, here, item):
                        message = _say(item, "the text says “{value}”", value=plain[slice(*span)])
                        yield Outcome(False, here, message, languages=(language,))

    return judge


def _has_proof(case: Case, path: str, item: dict[str, Any]) -> bool:
    """Whether the element that a text belongs to carries the key that excuses it."""
    key = item.get("unless_key")
    return bool(key) and not conditions.is_empty(case.get(f"{path.rpartition('.')[0]}.{key}"))


def mail(item: dict[str, Any], rule: Rule) -> Judge:
    name = item["mail"]

    def judge(case: Case) -> Iterator[Outcome]:
        if name not in case.derived["mails"]:
            fix = {"append": name} if case.given("mails.send") else None
            yield Outcome(False, "mails.send", _say(item, f"The mail `{name}` is not sent"), fix=fix)
        elif case.review:
            yield Outcome(True, "mails.send", f"mail `{name}`")

    return judge


def in_mail(item: dict[str, Any], rule: Rule) -> Judge:
    from checkoutgen.lint import said  # only for rules that read what the shop writes

    return lambda case: said.search(case, item, "mail")


def in_page(item: dict[str, Any], rule: Rule) -> Judge:
    from checkoutgen.lint import said

    return lambda case: said.search(case, item, "page")


def words(item: dict[str, Any], rule: Rule) -> Judge:
    """The label of a button by language: allowed, disputed, refused or unknown."""

    def judge(case: Case) -> Iterator[Outcome]:
        path, texts = _label(case, item)
        fix = {"remove": True} if case.given(path) else None
        for language in case.languages:
            label = texts.get(language) if isinstance(texts, dict) else None
            lists = labels(language).get(item["words"])
            if not label or not lists:
                continue
            severity, fault = _judge(phrases.normalise(label), lists, item)
            if fault:
                said = f"The words “{shown(label)}” {fault} ({language}); safe: “{lists['best']}”"
                yield Outcome(False, path, said, severity, fix=fix)
            else:
                yield Outcome(True, path, f"{language}: “{label}”")

    return judge


def _judge(label: str, lists: dict[str, Any], item: dict[str, Any]) -> tuple[str, str]:
    """(severity, what is wrong) of a normalised label; "" = the rule's severity, nothing wrong."""
    said = _without_amount(label)
    if said in lists["allow"]:
        return "", ""
    if said in lists.get("disputed", ()):
        return "warning", "are disputed"
    if said in lists.get("refuse", ()):
        return "", "are refused by law or courts"
    soft = item.get("unknown") == "warning" or any(part in label for part in item.get("softer_with", ()))
    return "warning" if soft else "", "are on no list of accepted words"


def _label(case: Case, item: dict[str, Any]) -> tuple[str, Any]:
    """Where the words on the button come from: the market's own, the checkout's, or the market's facts."""
    places = [path.replace("{market}", case.market) for path in item["at"]]
    path = next((path for path in places if case.given(path)), places[0])
    return path, case.get(path)


_AMOUNT = re.compile(
    r"[\s:(-]*(?:[€$£]|eur|usd|gbp|sek|chf)?\s*(?:\d[\d\s.,']*|\{\w+\})\s*(?:[€$£]|eur|usd|gbp|sek|chf|kr)?\)?$"
)


def _without_amount(label: str) -> str:
    """“Pay €49.90” is judged as “pay”: an amount may follow the words."""
    return _AMOUNT.sub("", label)


SECONDS = 10  # of CPU that a check in Python may take, and up to a ring more
RINGS = 4  # of the alarm in this time


def python(item: dict[str, Any], rule: Rule) -> Judge:
    module = import_module(f"checkoutgen.lint.rules.{rule.jurisdiction}.{rule.id.replace('-', '_')}")

    def judge(case: Case) -> Iterator[Outcome]:
        found = _within_limit(module.check, case)
        for outcome in found:
            _sound(outcome)
        yield from found

    return judge


class _Watch:
    """Ends a check that does not end by itself, where the system can (in the main thread, and not on Windows).

    An alarm rings again and again while a spec is judged: to set it for each check costs more than most of them."""

    rings: int | None = None  # since the check began; None between checks

    @classmethod
    def ring(cls, *_: object) -> None:
        if cls.rings is None:
            return
        cls.rings += 1
        # Again and again, as an error that is raised while objects are being freed is lost; but not at each ring, as
        # what Python then says of it must not be interrupted in turn.
        if cls.rings % RINGS == 1:
            cls.end_if_late()

    @classmethod
    def end_if_late(cls) -> None:
        if cls.rings is not None and cls.rings > RINGS:
            raise TimeoutError(f"no answer within {SECONDS} s of CPU")


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Within it, checks in Python are ended after about `SECONDS` of CPU."""
    try:
        signal.signal(signal.SIGVTALRM, _Watch.ring)
    except (AttributeError, ValueError):
        yield
        return
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS / RINGS, SECONDS / RINGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _within_limit(check: Callable[[Case], Iterable[Outcome]], case: Case) -> list[Outcome]:
    _Watch.rings = 0
    try:
        found = []
        for outcome in check(case):
            found.append(outcome)
            _Watch.end_if_late()  # what only collects spends its time in the garbage collector, where the error is lost
        return found
    finally:
        _Watch.rings = None


def _sound(outcome: Any) -> None:
    """Raises TypeError for what a report could not carry."""
    if not (
        isinstance(outcome, Outcome)
        and outcome.ok in (True, False, None)
        and isinstance(outcome.path, str)
        and isinstance(outcome.message, str)
        and outcome.severity in ("", *SEVERITIES)
        and all(isinstance(language, str) for language in outcome.languages)
        and isinstance(outcome.line, int)
        and outcome.line >= 0
        and isinstance(outcome.fix, dict | None)
    ):
        raise TypeError(f"a check gives outcomes, not {shown(outcome)}")


def shop(item: dict[str, Any], rule: Rule) -> Judge:
    return lambda _: iter([Outcome(True, "", item["shop"])])


def unjudged(item: dict[str, Any], rule: Rule) -> Judge:
    return lambda _: iter([Outcome(None, "", item["unjudged"])])


KINDS: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (need, must, page, texts, text, mail, in_mail, in_page, words, python, shop, unjudged)
}

_FOR_REVIEW = ("shop", "unjudged")  # kinds that judge nothing: asked only when the reviewer's page is wanted


def _failing(error: Exception) -> Judge:
    def judge(case: Case) -> Iterator[Outcome]:
        raise error.with_traceback(None)

    return judge


class Check(NamedTuple):
    """One item of a rule, ready to judge."""

    first: str  # day, "" = open
    last: str
    severity: str
    fix: dict[str, Any] | None
    for_review: bool
    applies: Callable[[Case], bool] | None
    judge: Judge

    def broken(self, found: Outcome) -> Outcome:
        """What it found broken, with the severity and fix of the item where the outcome names none."""
        return found._replace(severity=found.severity or self.severity, fix=found.fix or self.fix)


@cache
def of_rule(name: str) -> list[Check]:
    """The checks of a rule, made once: what a rule says does not change from spec to spec."""
    rule = rules()[name]
    return [
        Check(
            item.get("from", ""),
            item.get("to", ""),
            item.get("severity", ""),
            item.get("fix"),
            item["kind"] in _FOR_REVIEW,
            conditions.match(item["when"], reader) if "when" in item else None,
            KINDS[item["kind"]](item, rule),
        )
        for item in rule.checks
    ]


def due(name: str, day: str, review: bool) -> list[Check]:
    """The checks of a rule that count on a day, with or without those that only a reviewer asks for.

    Where they cannot be made there is one that fails and says why."""
    try:
        made = of_rule(name)
    except Exception as error:
        made = [Check("", "", "", None, False, None, _failing(error))]
    return [
        check
        for check in made
        if check.first <= day and not (check.last and day > check.last) and (review or not check.for_review)
    ]
