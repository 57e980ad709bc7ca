"""Clinical tables refuse deletion and moves refuse changes, by the database itself."""

from typing import Any

from django.db import migrations

from vertebro_clinic.core import guards
from vertebro_clinic.pathway.guards import APPEND_ONLY, NEVER_DELETED


def put_on(apps: Any, schema_editor: Any) -> None:
    """Install the guards."""
    guards.install(schema_editor.connection, APPEND_ONLY, append_only=True)
    guards.install(schema_editor.connection, NEVER_DELETED, append_only=False)


def take_off(apps: Any, schema_editor: Any) -> None:
    """Remove the guards."""
    guards.remove(schema_editor.connection, APPEND_ONLY, append_only=True)
    guards.remove(schema_editor.connection, NEVER_DELETED, append_only=False)


class Migration(migrations.Migration):
    """Guards on clinical tables."""

    dependencies = [("pathway", "0001_initial")]
    operations = [migrations.RunPython(put_on, take_off)]
