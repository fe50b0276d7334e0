"""In a made shop with orders, `python backoffice.py FOLDER` writes the lists of the back office and one of each."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main(folder: Path) -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    sys.path.insert(0, "")
    django.setup()
    from django.contrib import admin
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse

    client = Client()
    client.force_login(get_user_model().objects.create_superuser("staff@example.org", "a long password of staff"))
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = {"list": reverse(f"{name}_changelist")}
        if first := model._default_manager.first():
            addresses["one"] = reverse(f"{name}_change", args=[first.pk])
        for kind, address in addresses.items():
            answer = client.get(address, follow=True)
            assert answer.status_code == 200, (address, answer.status_code)
            (folder / f"admin-{model._meta.model_name}-{kind}.html").write_text(
                answer.content.decode(), encoding="utf-8"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
