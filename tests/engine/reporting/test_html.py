"""The HTML report: self-contained, escaped, readable by everyone."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reporting_cases import fracture_case, fractured, manifest, spine, with_level
from vertebro.findings import finding
from vertebro.reporting import ReportFacts, compose_report, html_from_report, write_html

HOSTILE = "<script>alert('x')</script>&\"'{{ 7*7 }}\x00\x1b"
DEVICE_LINE = "Not a certified medical device"


class Page(HTMLParser):
    """Tags and text of a page, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.in_style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.in_style = tag == "style"

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_data(self, data):
        if not self.in_style:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def html_of(case, **options) -> str:
    volume, labels, assessment = case
    return html_from_report(compose_report(volume, assessment, labels=labels, **options))


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(html_of(fracture_case(), facts=ReportFacts("case-7", "2026-01-02", manifest())))


def hostile_case():
    volume, labels, assessment = spine((HOSTILE, "L2"))
    level = replace(
        fractured(assessment.levels[HOSTILE]),
        summary=HOSTILE,
        findings=(finding("image.metal", HOSTILE, where=HOSTILE, evidence={HOSTILE: HOSTILE}),),
    )
    facts = replace(
        volume.facts,
        patient_name=HOSTILE,
        patient_id=HOSTILE,
        series_description=HOSTILE,
        manufacturer=HOSTILE,
        sex=HOSTILE,
        birth_date=HOSTILE,
    )
    return replace(volume, facts=facts), labels, with_level(assessment, level)


def test_page_says_once_that_it_is_no_device(page):
    assert page.text.count(DEVICE_LINE) == 1


def test_page_asks_nobody_for_anything(page):
    text = html_of(fracture_case())
    addresses = {
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "xlink:href") and value
    }

    assert {address.split(",")[0] for address in addresses if not address.startswith("#")} == {
        "data:image/png;base64"
    }
    assert page.all("script", "iframe", "link", "object", "embed", "form") == []
    assert re.findall(r"url\(|@import", text) == []
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}


def test_links_inside_the_page_lead_somewhere(page):
    targets = {attributes["id"] for _, attributes in page.tags if attributes.get("id")}
    links = {a["href"][1:] for a in page.all("a")}

    assert links <= targets
    assert len(targets) == sum(1 for _, attributes in page.tags if attributes.get("id"))


def test_headings_descend_one_step_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_every_table_header_has_a_scope_and_every_picture_words(page):
    headers = page.all("th")

    assert len(headers) > 40
    assert {header.get("scope") for header in headers} == {"col", "row", "rowgroup"}
    pictures = page.all("svg")
    assert len(pictures) == 5
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 40 for picture in pictures)


def test_every_place_that_scrolls_can_be_reached_by_keyboard_and_has_a_name(page):
    places = [a for a in page.all("div") if "scroll" in (a.get("class") or "").split()]

    assert len(places) >= 5
    assert all(place.get("tabindex") == "0" and place.get("aria-label") for place in places)


def test_page_names_its_language_and_title(page):
    assert page.all("html")[0]["lang"] == "en"
    assert "Vertebral fracture report · case-7" in page.text


def test_all_levels_stand_in_the_table_and_have_their_sentence(page):
    for name, sentence in (
        ("T12", "T12 keeps its height."),
        ("L1", "L1 has lost almost half of its front height."),
        ("L2", "L2 is cut by the edge of the image."),
    ):
        assert name in page.text
        assert sentence in page.text
    assert "cut by the field of view: not graded" in page.text


def test_every_number_carries_its_interval_and_basis(page):
    assert "12.8–13.8" in page.text
    tips = {span.get("title") for span in page.all("span") if "num" in (span.get("class") or "").split()}
    assert None not in tips
    assert {"ruler", "anterior against expected", "levels above and below"} <= tips


def test_hostile_words_stay_words():
    text = html_of(hostile_case(), facts=ReportFacts(HOSTILE, HOSTILE))
    page = Page(text)

    assert page.all("script") == []
    assert "<script" not in text
    assert page.text.count("<script>alert('x')</script>&\"'{{ 7*7 }}") > 15
    assert "49" not in page.text
    assert "\x00" not in text
    assert "\x1b" not in text


def test_equal_reports_are_equal_bytes(tmp_path):
    first = write_html(compose_report(*fracture_case()[::2]), tmp_path / "a.html")
    second = write_html(compose_report(*fracture_case()[::2]), tmp_path / "b.html")

    assert first.read_bytes() == second.read_bytes()


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_words_reach_wcag_aa(scheme):
    style = html_of(spine(("L1",)))
    light, dark = re.findall(r":root \{(.*?)\n *\}", style, flags=re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", light))
    if scheme == "dark":
        colours.update(re.findall(r"--([\w-]+): (#\w{6});", dark))
    tones = ("normal", "mild", "moderate", "severe", "ungraded")
    pairs = [(word, paper) for word in ("ink", "muted", "accent", *tones) for paper in ("paper", "quiet")]
    pairs += [(tone, f"wash-{tone}") for tone in tones]
    pairs += [(word, f"wash-{tone}") for word in ("ink", "muted") for tone in tones]
    pairs += [(f"fig-{role}", "paper") for role in ("ink", "muted", *tones)]

    poor = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}

    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}
