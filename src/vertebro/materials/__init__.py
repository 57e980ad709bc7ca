"""Material numbers with their source and valid range: data files and the laws that read them.

No geometry and no images. Densities are g/cc as printed in the sources; attenuation is cm²/g.
"""

from vertebro.materials.attenuation import (
    AttenuationTable,
    ReferenceTissue,
    published_attenuation,
    reference_attenuation,
    reference_tissues,
)

__all__ = [
    "AttenuationTable",
    "ReferenceTissue",
    "published_attenuation",
    "reference_attenuation",
    "reference_tissues",
]
