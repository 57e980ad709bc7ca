"""``python -m vertebro_clinic``: Django's management commands on the clinic's settings."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vertebro_clinic.core.settings.local")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
