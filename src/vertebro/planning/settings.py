"""What a needle path must keep to and what it should aim for."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Limits and wishes of the needle paths.

    Examples
    --------
    >>> AccessSettings().wall_margin_mm
    1.0
    """

    wall_margin_mm: float = setting(
        1.0,
        "Bone wanted between the cannula's surface and the pedicle's walls and the canal.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="design: needle radius + 1 mm, the clearance rule of the planning literature "
        "(Vijayan et al., Phys Med Biol 2019)",
    )
    anterior_wall_margin_mm: float = setting(
        3.0,
        "How far behind the anterior wall the tip must stay.",
        lower=0.0,
        upper=15.0,
        unit="mm",
        source="design: the tip stops in the anterior quarter; 3 mm is about one cannula diameter",
    )
    endplate_margin_mm: float = setting(
        1.0,
        "How far the tip's surface must stay off either endplate.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="assumed: as for the walls",
    )
    cleft_margin_mm: float = setting(
        0.5,
        "How far the tip's surface must stay off the walls of a gas cleft, inside or outside it.",
        lower=0.0,
        upper=5.0,
        unit="mm",
        source="assumed: half a CT voxel, so that the tip lies on one side of the wall for sure",
    )
    neighbour_crossing_mm: float = setting(
        1.0,
        "Way through another labelled bone from which a path may not be used.",
        lower=0.0,
        upper=20.0,
        unit="mm",
        source="assumed: about a voxel; shorter is where two labels touch",
    )
    deepest_fraction: float = setting(
        0.75,
        "How far along the body's depth (0 back, 1 front) a tip may lie at most.",
        lower=0.5,
        upper=1.0,
        source="anterior quarter: Jensen et al., AJNR 1997;18:1897",
    )
    anterior_third_fraction: float = setting(
        2.0 / 3.0,
        "How far along the body's depth the tip of a single needle must come.",
        lower=0.4,
        upper=0.95,
        source="anterior third, near the midline: Mathis, AJNR 2001",
    )
    target_depth_fraction: float = setting(
        0.72,
        "Where along the body's depth (0 back, 1 front) the tip should come to lie.",
        lower=0.4,
        upper=0.95,
        source="anterior third, near the midline: Mathis, AJNR 2001; anterior quarter: Jensen, AJNR 1997",
    )
    unipedicular_offset_mm: float = setting(
        4.0,
        "How near the midline the tip of a single needle must come.",
        lower=0.0,
        upper=15.0,
        unit="mm",
        source="assumed: near the midline, so that both halves fill from one side",
    )
    bipedicular_offset_fraction: float = setting(
        0.18,
        "Where the tips of two needles should lie beside the midline, as a share of the body's width.",
        lower=0.0,
        upper=0.5,
        source="assumed: middle of each half, drawn towards the midline",
    )
    pedicle_reserve_mm: float = setting(
        2.0,
        "Width that a pedicle must have beyond the cannula's, for the way through it.",
        lower=0.0,
        upper=6.0,
        unit="mm",
        source="design: 1 mm of bone on either side",
    )
    comfortable_axial_deg: float = setting(
        35.0,
        "Inclination to the midline above which a path counts as awkward.",
        lower=5.0,
        upper=60.0,
        unit="deg",
        source="recalled: 15 to 35 degrees are usual (knowledge of practice, unverified)",
    )
    patch_spacing_mm: float = setting(
        0.6, "Grid on which paths are sought.", lower=0.3, upper=1.5, unit="mm", source="numerical choice"
    )
    n_alternatives: int = setting(
        2, "Further paths kept for each side.", lower=0, upper=8, source="design: a ranking, not a list"
    )
    skin_search_mm: float = setting(
        250.0,
        "How far behind the bone the skin is sought.",
        lower=50.0,
        upper=400.0,
        unit="mm",
        source="design",
    )

    def __post_init__(self) -> None:
        validate(self)
