"""`python -m meeting_rooms.dev.servers`, as people and scripts use it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meeting_rooms.dev.servers.__main__ import main
from meeting_rooms.tests.dev.servers_environment import clean_up, is_redis_up


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a data folder for Redis only: the environment names the other two stores."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/rooms")
    monkeypatch.setenv("MONGODB_URL", "mongodb://elsewhere/rooms")
    monkeypatch.delenv("REDIS_URL", raising=False)
    folder = tmp_path / "data"
    yield folder
    clean_up(folder)


def test_command__start_status_stop__reports_the_state_by_exit_code(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--data-dir", str(data_dir)]
    assert main(["status", *place]) == 3
    capsys.readouterr()
    assert main(["start", *place, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["started"] == ["redis"]
    assert is_redis_up(document["urls"]["redis"])
    assert main(["status", *place]) == 0
    assert "***" in capsys.readouterr().out
    assert main(["stop", *place]) == 0
    assert main(["status", *place]) == 3


def test_command__unusable_data_dir__fails_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["start", "--data-dir", str(tmp_path / "file" / "data")]) == 1
    assert "cannot be used" in capsys.readouterr().err


def test_command__help__names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert "Exit codes" in capsys.readouterr().out
