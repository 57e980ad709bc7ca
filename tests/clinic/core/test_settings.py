"""Production settings, and where an installation's own settings come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vertebro_clinic.core.settings import sources


def test_production_settings_pass_the_deployment_check(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "vertebro_clinic.core.settings.production",
        "VERTEBRO_CLINIC_HOME": str(tmp_path),
        "VERTEBRO_CLINIC_HOSTS": "clinic.example",
    }

    done = subprocess.run(
        [sys.executable, "-m", "vertebro_clinic", "check", "--deploy", "--fail-level", "WARNING"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    key = sources.secret_key(tmp_path)

    assert sources.secret_key(tmp_path) == key
    assert len(key) > 60
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0


def test_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERTEBRO_CLINIC_HOME", str(tmp_path))
    (tmp_path / "clinic.toml").write_text('email_from = "a@b"\nrequire_mfa = false\n', encoding="utf-8")
    assert (sources.option("email_from"), sources.option("require_mfa")) == ("a@b", "false")

    monkeypatch.setenv("VERTEBRO_CLINIC_EMAIL_FROM", "c@d")
    assert sources.option("email_from") == "c@d"


def test_one_setting_chooses_postgresql(tmp_path: Path) -> None:
    chosen = sources.database("postgresql://me:p%40ss@127.0.0.1:5433/clinic", tmp_path)

    assert chosen["ENGINE"].endswith("postgresql")
    assert (chosen["USER"], chosen["PASSWORD"], chosen["PORT"], chosen["NAME"]) == (
        "me",
        "p@ss",
        "5433",
        "clinic",
    )
    assert sources.database("", tmp_path)["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
