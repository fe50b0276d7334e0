"""A badge, seal or tagline that promises free delivery in a market where every delivery to the door costs money."""

from collections.abc import Iterator

from checkoutgen.lint.case import Case, Outcome
from checkoutgen.lint.texts import find, normalise

_FREE = {
    "en": "free delivery | free shipping | delivered free",
    "fr": "livraison offerte | livraison gratuite | port offert | frais de port offerts",
    "de": "versandkostenfrei | kostenloser versand | gratisversand | kostenlose lieferung | versand gratis",
    "sv": "fri frakt | fraktfritt | gratis frakt | fri leverans",
    "nl": "gratis verzending | gratis bezorging | gratis levering",
    "es": "envío gratuito | envío gratis | entrega gratuita",
    "it": "spedizione gratuita | consegna gratuita",
}


def _is_given(case: Case) -> bool:
    currency = case.facts.get("currency", "")
    for _, method in case.each("delivery.methods[*]"):
        if method["kind"] in ("click-and-collect", "digital"):
            continue
        rates = [
            rate for rate in method.get("rates") or [] if not rate.get("markets") or case.market in rate["markets"]
        ]
        for offer in [*rates, method]:
            price, free_from = offer.get("price") or {}, offer.get("free_from") or {}
            if price.get(currency) == 0 or currency in free_from:
                return True
    return False


def check(case: Case) -> Iterator[Outcome]:
    if not case.facts or _is_given(case):
        return
    for path, badge in case.each("trust.badges[*]"):
        for language in case.languages:
            words = normalise(" ".join(str((badge.get(key) or {}).get(language) or "") for key in ("name", "text")))
            if language in _FREE and find(words, _FREE[language]):
                yield Outcome(
                    False, path, f"Free delivery is promised and never given in {case.market}", languages=(language,)
                )
