import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from catalogue.load import load


class Command(BaseCommand):
    help = "Loads content/catalogue.json. Stock is set for new variants only, unless --stock is given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stock", action="store_true", help="set the stock of every variant to that of the file")

    def handle(self, *args: object, stock: bool = False, **options: object) -> None:
        path = settings.BASE_DIR / "content" / "catalogue.json"
        products, variants = load(json.loads(path.read_text(encoding="utf-8"))["products"], stock=stock)
        self.stdout.write(f"{products} products, {variants} variants on sale.")
