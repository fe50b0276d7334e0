"""Services that get personal data because the spec uses them, and that the privacy notice does not mention."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from checkoutgen.lint.case import Case, Outcome

_WORDS = {
    "whatsapp": "whatsapp | meta",
    "messenger": "messenger | meta | facebook",
    "signal": "signal",
    "telegram": "telegram",
}


def check(case: Case) -> Iterator[Outcome]:
    shop = urlsplit(case.get("shop.url") or "").hostname or ""
    wanted: list[tuple[str, str, str]] = []
    messaging = case.get("support.messaging.kind")
    if messaging:
        wanted.append(("support.messaging", messaging, _WORDS.get(messaging, messaging)))
    chat = urlsplit(case.get("support.chat_url") or "").hostname or ""
    if chat and not chat.endswith(shop.removeprefix("www.")):
        wanted.append(("support.chat_url", chat, f"{chat} | chat"))
    for path, name, phrase in wanted:
        lacking = tuple(
            language
            for language in case.languages
            if (notice := case.texts.page("privacy", language)).is_written and not notice.says(phrase)
        )
        if lacking:
            yield Outcome(False, path, f"The privacy notice does not mention {name}", languages=lacking)
