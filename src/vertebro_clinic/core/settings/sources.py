"""Where an installation's own settings come from: the data folder, ``clinic.toml`` in it, the environment.

Only here does the clinic read the environment. Each name stands in :data:`KNOWN`; what the environment says
under ``VERTEBRO_CLINIC_<NAME>`` goes before what ``clinic.toml`` says.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import platformdirs

KNOWN = {
    "home": "folder of database, uploads, case folders and secret key",
    "database": "postgresql://user:password@host:port/name; empty for SQLite in the data folder",
    "hosts": "names under which the service is reached, separated by commas",
    "email_url": "smtp://user:password@host:port; empty prints letters to the terminal",
    "email_from": "sender of letters",
    "require_mfa": "whether staff must set up a second factor (true or false)",
    "site_zone": "time zone of sites that name none",
}
_MODE_PRIVATE = 0o600


def _from_environment(name: str) -> str | None:
    return os.environ.get(f"VERTEBRO_CLINIC_{name.upper()}")


def home_folder() -> Path:
    """The data folder, made when it is not there."""
    named = _from_environment("home")
    folder = Path(named) if named else Path(platformdirs.user_data_dir("vertebro-clinic", appauthor=False))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file_settings(folder: Path) -> dict[str, Any]:
    path = folder / "clinic.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def option(name: str, default: str = "") -> str:
    """One setting of this installation as text.

    >>> option("email_from", "clinic@localhost")
    'clinic@localhost'
    """
    assert name in KNOWN, f"unknown clinic setting {name!r}"
    said = _from_environment(name)
    if said is not None:
        return said
    value = _file_settings(home_folder()).get(name, default)
    return str(value).lower() if isinstance(value, bool) else str(value)


def is_true(text: str) -> bool:
    """Whether a setting's text means yes.

    >>> is_true("true"), is_true("no")
    (True, False)
    """
    return text.strip().lower() in {"1", "true", "yes", "on"}


def secret_key(folder: Path) -> str:
    """The installation's secret key, made at the first start and readable by its owner alone."""
    path = folder / "secret.key"
    if not path.is_file():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE_PRIVATE)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(64))
    return path.read_text(encoding="ascii").strip()


def database(address: str, folder: Path) -> dict[str, Any]:
    """Django's description of the database: SQLite in the data folder, or PostgreSQL at an address."""
    if not address:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": folder / "clinic.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                    "PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456;"
                ),
            },
        }
    parts = urlsplit(address)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "127.0.0.1",
        "PORT": str(parts.port or 5432),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
