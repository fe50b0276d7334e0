from typing import Any

from django.core.checks import CheckMessage, Info, register
from django.db import connection

# https://www.sqlite.org/wal.html#walresetbug: 3.7.0 to 3.51.2 can damage a database in a rare race.
SOUND = (3, 51, 3)


@register(deploy=True)
def database(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Names the SQLite in use: Python brings that of the system."""
    if connection.vendor != "sqlite" or connection.Database.sqlite_version_info >= SOUND:
        return []
    return [
        Info(
            f"SQLite {connection.Database.sqlite_version} has a rare error in its write-ahead log, mended in 3.51.3.",
            hint="Install pysqlite3, which brings a newer SQLite, or run the shop on a system that has one, or on "
            "PostgreSQL (DATABASE_URL). Keep backups.",
            id="common.I001",
        )
    ]
