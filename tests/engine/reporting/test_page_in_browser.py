"""The page as a browser sets it: on a phone, in the light and in the dark."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from external_tools import require_tool
from reporting_cases import fracture_case, manifest
from vertebro.reporting import ReportFacts, compose_report, html_from_report

pytestmark = pytest.mark.slow

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def chromium(profile: Path, *arguments: str) -> str:
    program = require_tool("chromium", "apt-get install chromium")
    command = [str(program), *FLAGS, f"--user-data-dir={profile}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.fixture(scope="module")
def page() -> str:
    volume, labels, assessment = fracture_case()
    facts = ReportFacts("case-7", "2026-01-02", manifest())
    return html_from_report(compose_report(volume, assessment, labels=labels, facts=facts))


def test_page_on_a_phone_never_scrolls_sideways(page, tmp_path):
    measuring = "<script>parent.postMessage([innerWidth, document.documentElement.scrollWidth], '*')</script>"
    inner = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    (tmp_path / "inner.html").write_text(inner.replace("</body>", measuring + "</body>"), encoding="utf-8")
    (tmp_path / "outer.html").write_text(
        "<body><p id=answer></p><script>onmessage = event => "
        "{ document.getElementById('answer').textContent = event.data.join(' ') }</script>"
        '<iframe src="inner.html" style="width:390px;height:800px;border:0"></iframe>',
        encoding="utf-8",
    )

    shown = chromium(
        tmp_path / "profile", "--virtual-time-budget=20000", "--dump-dom", (tmp_path / "outer.html").as_uri()
    )

    inner_width, scroll_width = map(int, re.search(r"<p id=\"answer\">(\d+) (\d+)</p>", shown).groups())
    assert inner_width == 390
    assert scroll_width <= 390


@pytest.mark.parametrize(("scheme", "setting"), [("light", "1"), ("dark", "0")])
def test_page_follows_the_readers_colour_scheme(page, tmp_path, scheme, setting):
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    picture = tmp_path / "page.png"

    chromium(
        tmp_path / "profile",
        f"--blink-settings=preferredColorScheme={setting}",
        "--window-size=1000,1400",
        f"--screenshot={picture}",
        (tmp_path / "page.html").as_uri(),
    )

    pixels = np.asarray(Image.open(picture).convert("L"))
    paper = int(np.median(pixels))
    assert paper > 240 if scheme == "light" else paper < 40
    assert pixels.std() > 15  # words and pictures stand out from it
