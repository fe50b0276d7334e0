"""The tests of this shop. On a busy machine they wait longer for their turn to write than a buyer would."""

from django.db import connection

if connection.vendor == "sqlite":
    connection.settings_dict["OPTIONS"]["timeout"] = 60  # seconds; read by every thread that connects
