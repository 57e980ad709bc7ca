"""Several processes write to one case, and one is killed.

No acknowledged entry is lost, on both databases.
"""

from __future__ import annotations

import json
import signal

import pytest

pytestmark = pytest.mark.slow


def _finish(process) -> str:
    out, error = process.communicate(timeout=240)
    assert process.returncode == 0, error
    return out


@pytest.fixture(scope="module")
def case(environment, python) -> int:
    return int(_finish(python(environment, "prepare")))


def test_writers_at_once_lose_nothing(environment, python, case: int) -> None:
    before = json.loads(_finish(python(environment, "check", case)))
    writers = [python(environment, "drops", case, 12) for _ in range(2)]
    writers += [python(environment, "saves", case, 8) for _ in range(2)]
    writers.append(python(environment, "ticks", case))

    said = [_finish(writer) for writer in writers]

    after = json.loads(_finish(python(environment, "check", case)))
    told = sorted(json.loads(line) for out in said[:2] for line in out.splitlines())
    assert sorted(set(after["tokens"]) - set(before["tokens"])) == told
    assert len(told) == 24
    assert after["ml"] - before["ml"] == pytest.approx(2.4)
    assert after["bed_rest_days"] == before["bed_rest_days"] + 16
    assert after["ticks"] == 9
    assert after["problems"] == []


def test_killing_a_writer_loses_no_acknowledged_entry(environment, python, case: int) -> None:
    told: set[str] = set()
    before = json.loads(_finish(python(environment, "check", case)))
    for lines in (1, 4, 7):
        writer = python(environment, "drops", case, 1000)
        told |= {json.loads(writer.stdout.readline()) for _ in range(lines)}
        writer.send_signal(signal.SIGKILL)
        told |= {json.loads(line) for line in writer.stdout if line.endswith("\n")}
        writer.communicate()

    after = json.loads(_finish(python(environment, "check", case)))
    assert len(told) >= 12
    assert told <= set(after["tokens"])
    assert after["ml"] - before["ml"] == pytest.approx(0.1 * (len(after["tokens"]) - len(before["tokens"])))
    assert after["problems"] == []
