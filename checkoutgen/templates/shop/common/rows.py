"""Model objects of plain statements, for the few that every page or order asks: the ORM takes longer to write one than
the database to answer it."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from django.db import connection, models
from django.db.transaction import TransactionManagementError

M = TypeVar("M", bound=models.Model)


def rows(model: type[M], statement: str, *parameters: Any) -> list[M]:
    """What a SELECT with all columns of a model gives; further columns become attributes."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        columns = tuple(column[0] for column in cursor.description)
        found = cursor.fetchall()
    order, readers, further = _reading(model, columns, connection.vendor)
    names = [field.attname for field in model._meta.concrete_fields]
    objects = []
    for row in found:
        values = [row[place] for place in order]
        for index, read in readers:
            values[index] = read(values[index])
        made = model.from_db(connection.alias, names, values)
        for place in further:
            setattr(made, columns[place], row[place])
        objects.append(made)
    return objects


@cache
def _reading(
    model: type[models.Model], columns: tuple[str, ...], vendor: str
) -> tuple[list[int], list[tuple[int, Callable[[Any], Any]]], list[int]]:
    """Places of the model's fields in a row, how to read those that are not ready to use, and the other places."""
    fields = model._meta.concrete_fields
    order = [columns.index(field.column) for field in fields]
    readers = []
    for index, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
            readers.append((index, lambda value, convert=convert, column=column: convert(value, column, connection)))
    return order, readers, [place for place in range(len(columns)) if place not in order]


def for_update() -> str:
    """The end of a SELECT that holds its rows until the transaction ends; SQLite holds the whole database anyway."""
    if not connection.in_atomic_block:
        raise TransactionManagementError("rows are locked inside a transaction only")
    return " FOR UPDATE" if connection.features.has_select_for_update else ""


def locked(model: type[M], pk: int) -> M:
    """The row as it is now, held until the transaction ends."""
    table = model._meta.db_table
    for row in rows(model, f"SELECT * FROM {table} WHERE id = %s{for_update()}", pk):  # noqa: S608  our own tables
        return row
    raise model.DoesNotExist(f"{table} {pk}")
