"""Rows locked by plain statements: the ORM takes longer to write one than the database to answer it."""

from typing import TypeVar

from django.db import connection, models
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=models.Model)


def for_update() -> str:
    """The end of a SELECT that holds its rows until the transaction ends; SQLite holds the whole database anyway."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("rows are locked inside a transaction only")
    return " FOR UPDATE" if connection.features.has_select_for_update else ""


def locked(model: type[M], pk: int) -> M:
    """The row as it is now, held until the transaction ends."""
    table = model._meta.db_table
    for row in model._default_manager.raw(f"SELECT * FROM {table} WHERE id = %s{for_update()}", [pk]):  # noqa: S608
        return row
    raise model.DoesNotExist(f"{table} {pk}")
