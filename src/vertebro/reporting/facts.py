"""Whose image it is and what kind of image: the facts in the report's header."""

from __future__ import annotations

from vertebro.imaging import ImageFacts, LabelVolume, Volume
from vertebro.reporting.content import Fact
from vertebro.reporting.numbers import date_text, person_text
from vertebro.reporting.wording import Words


def patient_facts(facts: ImageFacts, words: Words) -> tuple[Fact, ...]:
    """Name, number, birth date, sex and age, as far as the image gives them."""
    text = words["patient"]
    sexes = {"F": text["female"], "M": text["male"], "O": text["other"]}
    age = "" if facts.age_years is None else text["years"].format(years=int(facts.age_years))
    pairs = [
        (text["name"], person_text(facts.patient_name)),
        (text["id"], facts.patient_id),
        (text["birth_date"], date_text(facts.birth_date)),
        (text["sex"], sexes.get(facts.sex.upper(), facts.sex)),
        (text["age"], age),
    ]
    return tuple(Fact(name, value) for name, value in pairs if value)


def image_facts(volume: Volume, labels: LabelVolume | None, words: Words) -> tuple[Fact, ...]:
    """Date, study, series, scanner and sampling of the image, and where the level labels come from."""
    text, facts = words["image"], volume.facts
    scanner = " ".join(part for part in (facts.manufacturer, facts.scanner_model) if part)
    spacing = " × ".join(f"{value:.2g}" if value < 1 else f"{value:.3g}" for value in volume.spacing_mm)
    shape = " × ".join(str(count) for count in volume.shape)
    pairs = [
        (text["study_date"], date_text(facts.study_date)),
        (text["study"], facts.study_description),
        (text["series"], facts.series_description),
        (text["accession"], facts.accession_number),
        (text["scanner"], scanner),
        (text["kernel"], facts.kernel),
        (text["tube"], "" if facts.kvp_kv is None else f"{facts.kvp_kv:g}\u00a0kV"),
        (text["voxels"], f"{shape} of {spacing}\u00a0mm ({volume.geometry.axis_codes})"),
        (
            text["thickness"],
            "" if facts.slice_thickness_mm is None else f"{facts.slice_thickness_mm:g}\u00a0mm",
        ),
        (text["contrast"], facts.contrast_agent),
        (text["source"], text.get(f"source_{facts.source_kind}", facts.source_kind)),
        (text["labels"], _labels_text(labels, words)),
    ]
    return tuple(Fact(name, value) for name, value in pairs if value)


def _labels_text(labels: LabelVolume | None, words: Words) -> str:
    if labels is None:
        return ""
    extent = words["image"].get(f"extent_{labels.extent}", "")
    return ", ".join(part for part in (labels.convention, extent) if part)
