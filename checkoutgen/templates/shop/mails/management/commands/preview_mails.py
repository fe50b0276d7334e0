from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand

from mails import samples


class Command(BaseCommand):
    help = "Writes every mail in every language, filled with a made-up order, as HTML and text files into a folder."

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args, folder: Path, **options) -> None:
        for language, _name in settings.LANGUAGES:
            (folder / language).mkdir(parents=True, exist_ok=True)
            for kind in samples.kinds():
                mail = samples.message(kind, language)
                (folder / language / f"{kind}.html").write_text(mail.html, encoding="utf-8")
                (folder / language / f"{kind}.txt").write_text(f"{mail.subject}\n\n{mail.text}", encoding="utf-8")
                for file in mail.attachments:
                    (folder / language / file.name).write_text(file.content, encoding="utf-8")
        self.stdout.write(f"Mails of {len(settings.LANGUAGES)} languages are in {folder}.")
