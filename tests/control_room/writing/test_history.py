"""The kept moments of a night."""

from __future__ import annotations

from pathlib import Path

import pytest

from control_room.writing.history import History, NoSuchMomentError


def test_the_last_moment_not_after_the_one_asked_is_given(tmp_path: Path) -> None:
    history = History(tmp_path / "historia")
    for ms in (3_000, 1_000, 2_000):
        history.keep(ms, ms, str(ms).encode())
    assert history.moments() == [1_000, 2_000, 3_000]
    assert [history.at(ms) for ms in (1_000, 2_999, 9_999)] == [b"1000", b"2000", b"3000"]
    with pytest.raises(NoSuchMomentError):
        history.at(999)


def test_another_process_and_one_that_begins_again_see_what_was_kept(tmp_path: Path) -> None:
    writer, reader = History(tmp_path / "historia"), History(tmp_path / "historia")
    assert reader.moments() == []
    writer.keep(1_000, 1, b"uno")
    assert reader.at(1_000) == b"uno"
    writer.keep(2_000, 2, b"dos")
    assert reader.moments() == [1_000, 2_000]
    assert History(tmp_path / "historia").at(5_000) == b"dos"


def test_a_moment_kept_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.keep(1_000, 9, b"viejo")
    history.keep(1_000, 3, b"nuevo")
    assert history.at(1_000) == b"nuevo"
    assert len(list(tmp_path.iterdir())) == 1


def test_what_is_not_a_kept_moment_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notas.txt").write_text("mías")
    (tmp_path / ".1000-1.json.gz.tmp").write_bytes(b"a medias")
    history = History(tmp_path)
    assert history.moments() == []
    history.keep(1_000, 1, b"uno")
    assert (tmp_path / "notas.txt").exists()
