"""``vertebro clinic``: migrate, make the first administrator, serve web and worker, print the address."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SETTINGS = "vertebro_clinic.core.settings.local"
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Options:
    """How to start."""

    port: int = 8800
    demo: bool = False
    case_folder: Path | None = None
    home: Path | None = None


def say(text: str = "") -> None:
    """One line to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _set_up(options: Options) -> None:
    """Point Django at the right folder and settings. Before anything of Django is imported."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    if options.home is not None:
        os.environ["VERTEBRO_CLINIC_HOME"] = str(options.home)
    if options.demo:
        home = options.home or _default_home() / "demo"
        os.environ["VERTEBRO_CLINIC_HOME"] = str(home)
        os.environ["VERTEBRO_CLINIC_DATABASE"] = ""
        os.environ["VERTEBRO_CLINIC_REQUIRE_MFA"] = "false"
        _forget_demo(home)
    import django

    django.setup()


def _default_home() -> Path:
    from vertebro_clinic.core.settings.sources import home_folder

    return home_folder()


def _forget_demo(home: Path) -> None:
    """Every start of the demo begins anew, so that its dates are those of today."""
    for name in ("clinic.sqlite3", "clinic.sqlite3-wal", "clinic.sqlite3-shm"):
        (home / name).unlink(missing_ok=True)
    shutil.rmtree(home / "cases", ignore_errors=True)


def _first_administrator(address: str) -> str | None:
    """A one-time link for the first administrator, where nobody has an account yet."""
    from vertebro_clinic.core.actor import SYSTEM
    from vertebro_clinic.core.domain.links import make_sign_in_link
    from vertebro_clinic.core.domain.people import add_member
    from vertebro_clinic.core.models import Site, User
    from vertebro_clinic.core.roles import Role

    if User.objects.exists():
        return None
    site = Site.objects.first() or Site.objects.create(
        name="First site", short_name="First", appointment_phone="–", problem_phone="–"
    )
    user = User.objects.create_user("administrator@localhost", "Administrator")
    add_member(actor=SYSTEM, user=user, site=site, role=Role.ADMINISTRATOR)
    return f"{address}/enter/{make_sign_in_link(actor=SYSTEM, user=user)}/"


def _fill_demo(address: str, case_folder: Path | None) -> list[str]:
    """Fill the demo and return one line for each sign-in link."""
    from vertebro_clinic.core.actor import SYSTEM
    from vertebro_clinic.core.domain.links import make_patient_link, make_sign_in_link
    from vertebro_clinic.pathway.enums import Stage
    from vertebro_clinic.pathway.models import Case
    from vertebro_clinic.start.demo.clinic import fill_demo

    demo = fill_demo(password=f"demo-{secrets.token_hex(4)}")
    lines = []
    for (role, site), user in demo.users.items():
        token = make_sign_in_link(actor=SYSTEM, user=user)
        lines.append(f"{role:14} {site:11} {user.name:19} {address}/enter/{token}/")
    shown = Case.objects.filter(stage=Stage.PREPARATION).select_related("patient").first()
    if shown is not None:
        token = make_patient_link(actor=SYSTEM, patient_id=shown.patient_id)
        born = shown.patient.birth_date.isoformat()
        lines.append(f"{'patient':14} {'':11} {shown.patient.name:19} {address}/p/{token}/   born {born}")
    lines.append(f"Signing asks for the password of all demo staff: {demo.password}")
    if case_folder is not None:
        from vertebro_clinic.start.demo.report import attach_demo_report

        case = attach_demo_report(case_folder)
        lines.append(
            f"The engine's report is on the record of {case.patient.name}: {address}/cases/{case.key}/runs/"
        )
    return lines


def _require_free_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as taken:
            say(f"Port {port} is in use. Choose another one with --port.")
            raise SystemExit(1) from taken


@contextmanager
def _worker() -> Iterator[None]:
    """The worker beside the web server, in a process of its own, started again when it dies."""
    stop = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stop.is_set():
            worker = subprocess.Popen([sys.executable, "-m", "vertebro_clinic", "run_worker"])
            running[:] = [worker]
            while worker.poll() is None and not stop.wait(0.5):
                pass
            if stop.wait(2):
                break

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        for worker in running:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
                worker.wait(timeout=20)
        keeper.join(timeout=5)


def _leave(*_: object) -> None:
    """A polite end when asked from outside, so that the worker is stopped too."""
    raise SystemExit(0)


def start(options: Options) -> None:
    """Start the clinic and stay until it is stopped with Ctrl-C or asked to end."""
    _require_free_port(options.port)
    signal.signal(signal.SIGTERM, _leave)  # the web server raises it again when it is done
    _set_up(options)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    address = f"http://{LOOPBACK}:{options.port}"
    if options.demo:
        say("Making the demo clinic (two sites, invented patients) …")
        lines = _fill_demo(address, options.case_folder)
        say("One-time sign-in links:")
        for line in lines:
            say("  " + line)
    else:
        link = _first_administrator(address)
        if link:
            say(f"First administrator, sign in once: {link}")
    say(f"The clinic is at {address} (Ctrl-C stops it). Not a certified medical device.")
    import uvicorn

    with _worker():
        uvicorn.run(
            "vertebro_clinic.core.asgi:application",
            host=LOOPBACK,
            port=options.port,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
        )
