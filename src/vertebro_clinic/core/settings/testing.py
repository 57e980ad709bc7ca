"""The test suite.

A database in memory (or the PostgreSQL that the tests started), quick hashes, no letters out.
"""

import os
import tempfile

os.environ.setdefault("VERTEBRO_CLINIC_HOME", tempfile.mkdtemp(prefix="vertebro-clinic-test-"))

from vertebro_clinic.core.settings.base import *  # noqa: F403 - the folder must be named first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
REQUIRE_MFA = False
AXES_ENABLED = True
