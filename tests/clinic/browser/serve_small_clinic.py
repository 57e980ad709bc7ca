"""Serves a small clinic for the browser tests.

One site whose clocks need no waiting, staff with one password.

    python serve_small_clinic.py PORT PASSWORD

The data folder is named by VERTEBRO_CLINIC_HOME.
"""

from __future__ import annotations

import os
import sys


def main(port: int, password: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vertebro_clinic.core.settings.local")
    import django

    django.setup()
    from django.core.management import call_command

    from vertebro_clinic.core.actor import SYSTEM
    from vertebro_clinic.core.domain.people import add_member
    from vertebro_clinic.core.models import Site, User
    from vertebro_clinic.core.roles import Role

    call_command("migrate", verbosity=0)
    site = Site.objects.create(
        name="Browser site",
        short_name="Browser",
        appointment_phone="202-877-9729",
        problem_phone="202-877-9729",
        prone_minutes=0,
        supine_minutes=0,
        recovery_minutes=0,
    )
    for role in Role:
        user = User.objects.create_user(f"{role}@test.example", f"The {role}", password)
        add_member(actor=SYSTEM, user=user, site=site, role=role)
    import uvicorn

    uvicorn.run("vertebro_clinic.core.asgi:application", host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
