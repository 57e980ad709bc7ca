"""The audit log refuses changes and deletions, by the database itself."""

from typing import Any

from django.db import migrations

from vertebro_clinic.core import guards


def put_on(apps: Any, schema_editor: Any) -> None:
    """Install the guards."""
    guards.install(schema_editor.connection, guards.APPEND_ONLY, append_only=True)


def take_off(apps: Any, schema_editor: Any) -> None:
    """Remove the guards."""
    guards.remove(schema_editor.connection, guards.APPEND_ONLY, append_only=True)


class Migration(migrations.Migration):
    """Guards on the audit log."""

    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunPython(put_on, take_off)]
