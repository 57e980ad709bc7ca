"""Names of medicines as people write them: known ones are recognised, unknown ones are asked about."""

import tomllib
from pathlib import Path

import pytest

import vertebro_clinic.preparation.drug_names as module
from vertebro_clinic.preparation import recognise


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Eliquis", ["apixaban"]),
        ("apixaban 2.5 mg", ["apixaban"]),
        ("XARELTO 20mg tablets", ["rivaroxaban"]),
        ("Pradaxa 150 mg", ["dabigatran"]),
        ("Coumadin", ["warfarin"]),
        ("Sintrom 4 mg", ["acenocoumarol"]),
        ("Adiro 100", ["aspirin"]),
        ("ácido acetilsalicílico 100 mg", ["aspirin"]),
        ("aspirin 81 mg daily", ["aspirin"]),
        ("Plavix 75mg", ["clopidogrel"]),
        ("Aggrenox", ["aspirin", "dipyridamole"]),
        ("DuoPlavin 75 mg/100 mg", ["clopidogrel", "aspirin"]),
        ("clopidogrel + aspirin", ["clopidogrel", "aspirin"]),
        ("Eliquis (apixaban)", ["apixaban"]),
        ("paracetamol y tramadol", ["paracetamol", "tramadol"]),
        ("Percodan", ["oxycodone", "aspirin"]),
    ],
)
def test_known_names_give_their_ingredients(written, names):
    assert [drug.name for drug in recognise(written)] == names


@pytest.mark.parametrize(
    "written", ["Elikwis", "a blue pill", "", "10 mg", "apixaban and something", "Plavixx"]
)
def test_what_is_not_known_is_never_guessed(written):
    assert recognise(written) is None


def test_no_spelling_stands_for_two_ingredients():
    rows = tomllib.loads((Path(module.__file__).parent / "drugs.toml").read_text(encoding="utf-8"))
    packs = rows.pop("combinations")
    owners: dict[str, set[str]] = {}
    for name, row in rows.items():
        for word in (name, *row["generic"], *row["brands"]):
            owners.setdefault(module.plain(word), set()).add(name)
    for pack in packs:
        owners.setdefault(module.plain(pack), set()).add(pack)

    assert [word for word, names in owners.items() if len(names) > 1] == []
    assert all(name in rows for names in packs.values() for name in names)


def test_codes_are_not_shared():
    codes = [drug.rxnorm for drug in module.drugs().values() if drug.rxnorm]

    assert len(codes) == len(set(codes))
