import sqlite3
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, register

# https://www.sqlite.org/wal.html#walresetbug: 3.7.0 to 3.51.2 can damage a database in a rare race.
SOUND = (3, 51, 3)


@register(deploy=True)
def database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Names the SQLite in use: Python brings that of the system."""
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"] or sqlite3.sqlite_version_info >= SOUND:
        return []
    return [
        Info(
            f"SQLite {sqlite3.sqlite_version} has a rare error in its write-ahead log, mended in 3.51.3.",
            hint="Run the shop on a system with SQLite 3.51.3 or later, or on PostgreSQL (DATABASE_URL). Keep backups.",
            id="common.I001",
        )
    ]
