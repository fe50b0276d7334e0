"""What a server loads. Whatever starts it, a shop that lacks its credentials does not serve a page."""

import os

from django.core.checks import Tags, run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
if missing := [each for each in run_checks(tags=[Tags.security]) if each.is_serious() and not each.is_silenced()]:
    raise SystemExit("\n".join(["This shop cannot be served.", *map(str, missing)]))
