"""One machine, reached through loopback: what ``vertebro clinic`` starts with."""

from vertebro_clinic.core.settings.base import *  # noqa: F403 - settings modules build on each other
