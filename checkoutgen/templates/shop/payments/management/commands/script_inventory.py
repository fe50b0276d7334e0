"""The inventory of scripts that run where buyers pay: PCI DSS 4.0.1, requirement 6.4.3."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.shop import HOME, market
from payments import methods, scripts


class Command(BaseCommand):
    help = (
        "Print every script of the pages where buyers pay, with reason and hash; --check FILE tells what changed since."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", metavar="FILE", help="an inventory that this command printed before")

    def handle(self, *args: Any, **options: Any) -> None:
        now = inventory()
        if not options["check"]:
            self.stdout.write(json.dumps(now, indent=1, ensure_ascii=False))
            return
        known = json.loads(Path(options["check"]).read_text(encoding="utf-8"))
        if now != known:
            changed = [entry for entry in now if entry not in known] + [entry for entry in known if entry not in now]
            names = sorted({f"{entry['page']}: {entry['src']}" for entry in changed})
            raise CommandError("Not as in the inventory:\n" + "\n".join(names))
        self.stdout.write(f"{len(now)} scripts, as in the inventory")


def inventory() -> list[dict[str, str]]:
    """One entry for each script of each page: page, src, reason, integrity (SHA-384), without."""
    found = []
    for method in methods.methods():
        uses = [
            use
            for use, asked in (("fields", methods.in_page(method["id"])), ("express", method.get("express")))
            if asked
        ]
        for use in uses:
            if not scripts.has_page(method["provider"], use):
                continue
            for script in scripts.scripts(method["provider"], use, market(HOME)["currency"]):
                found.append(
                    {
                        "page": f"{method['id']} ({use})",
                        "src": script.src,
                        "reason": script.reason,
                        "integrity": script.integrity if script.foreign else _hash(script.src),
                        "without": script.without,
                    }
                )
    return found


def _hash(name: str) -> str:
    """Of one of the shop's own files, as a browser would check it."""
    path = finders.find(name)
    if path is None:
        raise CommandError(f"{name} is missing: the page that loads it would not work.")
    return "sha384-" + b64encode(hashlib.sha384(Path(path).read_bytes()).digest()).decode()
