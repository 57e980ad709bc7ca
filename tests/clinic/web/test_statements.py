"""The words that patients read.

Each statement of the service's descriptions stands on its page, in both languages.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from vertebro_clinic import pathway

FOLDER = Path(pathway.__file__).parent / "rules_data" / "education"
SAID = {
    "S0.3": ("what", "treat pain from a broken vertebra"),
    "S0.6": ("how", "lie on your stomach"),
    "S0.7": ("how", "live X-ray"),
    "S0.8": ("how", "a little barium"),
    "S0.9": ("how", "watched without a break while it flows"),
    "S0.10": ("how", "nearly filling the bone, the needle comes out"),
    "S0.13": ("prepare", "only when your doctor agrees"),
    "S0.14": ("prepare", "Aspirin is often stopped for a week"),
    "S0.15": ("prepare", "blood thinners for 3 to 5 days"),
    "S0.16": ("prepare", "nothing after midnight"),
    "S0.20": ("how", "as comfortably as possible"),
    "S0.21": ("how", "pain medicine and a light sedative"),
    "S0.22": ("how", "until you are in the recovery room"),
    "S0.25": ("risks", "infection: a small risk"),
    "S0.26": ("risks", "Bleeding and infection: a small risk"),
    "S0.27": ("risks", "Antibiotics make infection rarer"),
    "S0.28": ("risks", "Depending on place and amount"),
    "S0.29": ("risks", "can make the pain worse"),
    "S0.30": ("risks", "then surgery may be needed"),
    "S0.31": ("risks", "Most leaks are very small and cause nothing"),
    "S0.32": ("risks", "about 80 of 100 people have much less pain within 48 hours"),
    "S1.1": ("what", "33 bones"),
    "S1.2": ("what", "hurts and makes it hard to move"),
    "S1.3": ("what", "arteries and veins of the spine"),
    "S1.4": ("what", "An interventional radiologist"),
    "S1.6": ("what", "Osteoporosis is the most common cause"),
    "S1.9": ("what", "works best on new fractures"),
    "S1.14": ("how", "about an hour"),
    "S1.16": ("how", "The skin is numbed"),
    "S1.17": ("how", "only the broken bone is reached"),
    "S1.18": ("what", "from inside like a cast"),
    "S1.20": ("risks", "often within hours"),
    "S1.21": ("after", "go home the same day"),
    "S1.22": ("risks", "Bleeding"),
    "S1.23": ("risks", "infection"),
    "S1.24": ("risks", "allergic reaction to the cement"),
    "S1.25": ("risks", "Cement can leak"),
    "S1.26": ("risks", "numbness or tingling, usually for a time"),
    "S1.30": ("prepare", "when to stop eating and drinking"),
    "S1.31": ("prepare", "drive you home, because of the sedation"),
    "S1.32": ("prepare", "rest for the remainder of the day"),
    "S1.33": ("after", "walk soon after"),
    "S1.34": ("after", "Rest for the first day"),
    "S1.35": ("after", "at once or over two to three days"),
    "S1.36": ("after", "take them up slowly"),
    "S1.37": ("after", "Take pain medicine for what remains"),
    "S1.40": ("risks", "widely used and serious harm is rare"),
    "S2.1": ("what", "that is what percutaneous means"),
    "S2.3": ("what", "less pain, a steady bone"),
    "S2.4": ("what", "no further collapse"),
    "S2.5": ("what", "No open surgery is needed"),
    "S2.6": ("what", "bones grow thin and weak"),
    "S2.7": ("what", "from the breast or the lung"),
    "S2.8": ("what", "haemangioma"),
    "S2.9": ("what", "herniated disc"),
    "S2.10": ("what", "other wear of the spine"),
    "S2.11": ("prepare", "calls you 24 to 48 hours before"),
    "S2.16": ("prepare", "Ask the doctor who prescribes it"),
    "S2.17": ("prepare", "on film or disc"),
    "S2.19": ("prepare", "If you have nobody, call us: we help"),
    "S2.20": ("prepare", "if you are nursing"),
    "S2.21": ("prepare", "could be pregnant"),
    "S2.22": ("prepare", "see the radiologist on an earlier day"),
    "S2.24": ("prepare", "Ask everything"),
    "S2.25": ("how", "special X-ray suite"),
    "S2.27": ("how", "cushioned table"),
    "S2.28": ("how", "stings for a few seconds"),
    "S2.30": ("how", "like toothpaste"),
    "S2.31": ("how", "within 10 to 20 minutes"),
    "S2.32": ("how", "More than one vertebra can be treated"),
    "S2.34": ("after", "depending on how many bones were treated"),
    "S2.35": ("after", "written guidance on activity"),
    "S2.36": ("after", "activity and exercises"),
    "S2.38": ("after", "go back to light activities the next day"),
    "S3.4": ("what", "medical bone cement"),
    "S3.5": ("risks", "Relief that lasts for years"),
    "S3.7": ("what", "die earlier on average"),
    "S3.8": ("what", "France in 1984"),
    "S3.10": ("how", "a very small cut"),
    "S3.11": ("how", "one to two hours in all"),
    "S3.17": ("how", "whether the break is new or old"),
    "S3.23": ("risks", "up to 90 of 100"),
    "S3.25": ("risks", "A quick recovery"),
    "S3.26": ("risks", "Fewer pain medicines within days"),
    "S3.27": ("risks", "Less bone loss than from long bed rest"),
    "S4.3": ("how", "biplane fluoroscopy"),
    "S4.5": ("how", "The balloon is taken out, and the space is filled with cement"),
    "S4.6": ("how", "can straighten the spine"),
    "S4.7": ("how", "injected straight into the broken bone"),
    "S4.18": ("how", "lie on a cushioned table"),
    "S4.19": ("how", "a vein of your arm"),
    "S4.20": ("how", "feel sleepy and not remember everything"),
    "S4.24": ("how", "lifts the sunken bone and leaves a space"),
    "S4.28": ("risks", "less need for bed rest"),
    "S4.29": ("what", "Left untreated"),
    "S4.31": ("risks", "Problems from the sedation"),
    "S4.32": ("risks", "even cause paralysis"),
    "S4.35": ("after", "the next day"),
    "S4.37": ("after", "at once or over two to three days"),
}


def _pages(language: str) -> dict[str, str]:
    content = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {slug: str(page) for slug, page in content.items()}


@pytest.mark.parametrize("name", sorted(SAID))
def test_a_page_says_it(name: str) -> None:
    slug, words = SAID[name]

    assert words in _pages("en")[slug]


def test_both_languages_have_the_same_pages_sections_and_points() -> None:
    def shape(language: str) -> list[object]:
        content = tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
        return [
            (
                slug,
                [(len(part.get("paragraphs", ())), len(part.get("points", ()))) for part in page["sections"]],
            )
            for slug, page in content.items()
        ]

    assert shape("en") == shape("es")


def test_no_page_claims_that_the_procedure_prevents_fractures() -> None:
    risks = _pages("en")["risks"]

    assert "has not been shown" in risks
    assert "Cochrane review 2018" in risks
