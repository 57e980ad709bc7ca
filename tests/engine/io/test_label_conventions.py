"""Telling numberings of vertebrae apart by values and order."""

from __future__ import annotations

import pytest
from pydicom.sr.codedict import codes

from vertebro.case import Level
from vertebro.errors import SettingsError
from vertebro.io.label_conventions import (
    conventions,
    expected_spacing_mm,
    parse_convention,
    recognise,
    snomed_codes,
    verse_numbers,
)


def centres(values, pitch_mm=34.0):
    """Centres of labels from the uppermost to the lowest."""
    return {value: (0.0, 0.0, -pitch_mm * place) for place, value in enumerate(values)}


def test_verse_numbers_are_those_published():
    assert verse_numbers()["C1"] == 1
    assert verse_numbers()["T1"] == 8
    assert verse_numbers()["L1"] == 20
    assert (verse_numbers()["L6"], verse_numbers()["T13"]) == (25, 28)


def test_totalsegmentator_numbers_are_those_published():
    second, first = conventions()["totalsegmentator"].labels, conventions()["totalsegmentator-v1"].labels
    assert [second[value] for value in (25, 26, 27, 32, 43, 44, 50)] == [
        "sacrum",
        "S1",
        "L5",
        "T12",
        "T1",
        "C7",
        "C1",
    ]
    assert [first[value] for value in (18, 22, 23, 34, 35, 41, 92)] == [
        "L5",
        "L1",
        "T12",
        "T1",
        "C7",
        "C1",
        "sacrum",
    ]


def test_every_convention_names_each_level_once():
    for name in ("verse", "totalsegmentator", "totalsegmentator-v1"):
        levels = list(conventions()[name].labels.values())
        assert len(levels) == len(set(levels))
        assert set(levels) - {"sacrum"} <= {level.value for level in Level}


def test_snomed_codes_agree_with_the_dicom_dictionary():
    for level in list(Level)[:26]:
        if level.value in ("T13", "L6"):
            assert level.value not in snomed_codes()
            continue
        assert snomed_codes()[level.value] == getattr(codes.SCT, f"{level.value}Vertebra").value


@pytest.mark.parametrize(
    ("values", "pitch_mm", "expected"),
    [
        ([17, 18, 19, 20, 21, 22], 30.0, "verse"),
        ([19, 28, 20, 21], 32.0, "verse"),
        ([33, 32, 31, 30, 29, 28, 27, 26], 34.0, "totalsegmentator"),
        ([33, 32, 31, 30, 29, 28, 27], 22.0, "totalsegmentator-v1"),
        ([30, 29, 28, 27, 26, 25, 24], 25.0, "totalsegmentator-v1"),
        ([28, 27, 26], 35.0, "totalsegmentator"),
        ([50, 49, 48, 47], 17.0, "totalsegmentator"),
    ],
)
def test_recognise_by_values_order_and_distances(values, pitch_mm, expected):
    found = recognise(centres(values, pitch_mm))
    assert found.convention.name == expected
    assert found.is_certain


def test_recognise_one_label_states_a_guess():
    found = recognise({20: (0.0, 0.0, 0.0)})
    assert found.convention.name == "verse"
    assert not found.is_certain
    assert found.alternatives == ("totalsegmentator-v1",)


def test_recognise_organs_beside_the_spine_do_not_count_against_totalsegmentator():
    places = centres([31, 30, 29, 28, 27]) | {5: (-90.0, -40.0, 0.0), 52: (10.0, -40.0, -60.0)}
    found = recognise(places)
    assert found.convention.name == "totalsegmentator"


def test_recognise_upside_down_verse_with_a_value_that_only_verse_knows():
    found = recognise(centres([22, 21, 20, 19, 18, 17], 30.0))
    assert (found.convention.name, found.is_certain) == ("verse", False)
    assert found.alternatives == ("totalsegmentator-v1",)


def test_recognise_first_totalsegmentator_or_verse_upside_down_is_a_stated_guess():
    found = recognise(centres([22, 21, 20, 19, 18], 34.0))
    assert (found.convention.name, found.is_certain) == ("totalsegmentator-v1", False)
    assert found.alternatives == ("verse, turned upside down",)


def test_recognise_discs_and_endplates_numbered_with_their_vertebra():
    places = centres([19, 20, 21])
    places |= {100 + value: (0.0, 0.0, z - 17.0) for value, (_, _, z) in centres([19, 20, 21]).items()}
    found = recognise(places)
    assert (found.convention.name, found.is_certain) == ("verse", True)


def test_recognise_nothing_known():
    assert recognise({200: (0.0, 0.0, 0.0), 300: (0.0, 0.0, 30.0)}) is None


def test_recognise_subregions_but_not_cervical_vertebrae_of_totalsegmentator():
    side_by_side = {value: (float(value), 5.0 * (value - 40), -0.5 * (value - 41)) for value in range(41, 51)}
    assert recognise(side_by_side).convention.name == "subregions"
    assert recognise(centres([50, 49, 48], 18.0)).convention.name == "totalsegmentator"


def test_expected_spacing_skips_extra_vertebrae_unless_named():
    assert expected_spacing_mm("T12", "L1") == 31.0
    assert expected_spacing_mm("T12", "T13") == 31.0
    assert expected_spacing_mm("T13", "L1") == 32.0
    assert expected_spacing_mm("L1", "T12") is None
    assert expected_spacing_mm("L5", "sacrum") is None


def test_parse_convention_refuses_the_unknown():
    assert parse_convention(" VerSe ") == "verse"
    with pytest.raises(SettingsError) as caught:
        parse_convention("freesurfer")
    assert caught.value.code == "labels.convention_name"
