"""Guards that stand in the database itself, on SQLite and PostgreSQL.

Append-only tables refuse UPDATE and DELETE, clinical tables refuse DELETE, whatever code asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.backends.base.base import BaseDatabaseWrapper

APPEND_ONLY = ("core_auditentry",)


def _name(table: str, action: str) -> str:
    return f"guard_{table}_{action.lower()}"


def _refuse(connection: BaseDatabaseWrapper, table: str, action: str, words: str) -> list[str]:
    name = _name(table, action)
    if connection.vendor == "sqlite":
        return [
            f'CREATE TRIGGER IF NOT EXISTS "{name}" BEFORE {action} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, '{words}'); END"
        ]
    level = "STATEMENT" if action == "TRUNCATE" else "ROW"
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"',
        f'CREATE TRIGGER "{name}" BEFORE {action} ON "{table}" FOR EACH {level} EXECUTE FUNCTION {name}()',
    ]


def _actions(connection: BaseDatabaseWrapper, *, append_only: bool) -> list[str]:
    actions = ["UPDATE", "DELETE"] if append_only else ["DELETE"]
    return actions if connection.vendor == "sqlite" else [*actions, "TRUNCATE"]


def install(connection: BaseDatabaseWrapper, tables: Iterable[str], *, append_only: bool) -> None:
    """Put the guards on these tables; harmless where they stand already."""
    words = "the audit log only grows" if append_only else "clinical records are never deleted"
    with connection.cursor() as cursor:
        for table in tables:
            for action in _actions(connection, append_only=append_only):
                for statement in _refuse(connection, table, action, words):
                    cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper, tables: Iterable[str], *, append_only: bool) -> None:
    """Take the guards off: to undo a migration, or to empty a test database."""
    with connection.cursor() as cursor:
        for table in tables:
            for action in _actions(connection, append_only=append_only):
                on = "" if connection.vendor == "sqlite" else f' ON "{table}"'
                cursor.execute(f'DROP TRIGGER IF EXISTS "{_name(table, action)}"{on}')
