"""What of an earlier run is still there and unchanged."""

from __future__ import annotations

from pathlib import Path

from vertebro.case import Manifest, StageRecord
from vertebro.io.case_folder import CaseFolder
from vertebro.workflow.manifest import hash_file
from vertebro.workflow.stages import STAGES


def valid_record(folder: CaseFolder, manifest: Manifest, name: str) -> StageRecord | None:
    """The record of a stage whose files all lie in the folder as they were written.

    Returns
    -------
    StageRecord or None
        None where the stage was not run, or a file it left is missing, altered or a link elsewhere.
    """
    record = manifest.stage(name)
    if record is None:
        return None
    unchanged = (_unchanged(folder, *output) for output in record.outputs.items())
    return record if all(path is not None for path in unchanged) else None


def remove_outputs(folder: CaseFolder, record: StageRecord) -> None:
    """Remove a stage's files, but none that was changed since, nor any that the stage never writes.

    A manifest from elsewhere may name whatever it likes; only what the registry says that this stage
    leaves in a case folder is ever removed.
    """
    writes = next((stage.writes for stage in STAGES if stage.name == record.name), ())
    for relative, sha256 in record.outputs.items():
        is_own = relative in writes or f"{Path(relative).parent}/" in writes
        path = _unchanged(folder, relative, sha256) if is_own else None
        if path is not None:
            path.unlink()


def _unchanged(folder: CaseFolder, relative: str, sha256: str) -> Path | None:
    path = folder.file(relative)
    try:
        return path if path is not None and hash_file(path) == sha256 else None
    except OSError:
        return None
