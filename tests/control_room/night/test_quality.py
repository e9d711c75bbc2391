"""The quality of what is captured, from the ledger."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from sqlalchemy import create_engine, select

from control_room.night.quality import MOST_ROWS, People, QualityFold, binomial_limit, quality
from core.storage import schema

CAPTURED, DISPUTED, VERIFIED = "acta_captured", "acta_disputed", "acta_verified"


def capture(*votes: int) -> bytes:
    return orjson.dumps({"votes": votes, "totals": [sum(votes)], "flags": []})


def verdict(chosen: int = 0, codes: tuple[str, ...] = (), notices: tuple[str, ...] = ()) -> bytes:
    return orjson.dumps({"chosen": chosen, "codes": codes, "notices": notices})


def counts(fold: QualityFold) -> dict[str, tuple[int, int]]:
    return {actor: (one.captures, one.errors) for actor, one in fold.actors.items()}


def fold_of(*events: tuple[str, int | None, str, bytes]) -> QualityFold:
    fold = QualityFold()
    for event in events:
        fold.apply(*event)
    return fold


def test_two_equal_captures_are_nobodys_error() -> None:
    fold = fold_of(
        (CAPTURED, 1, "ana", capture(3, 4)), (CAPTURED, 1, "beto", capture(3, 4)),
        (VERIFIED, 1, "beto", verdict()),
    )  # fmt: skip
    assert counts(fold) == {"ana": (1, 0), "beto": (1, 0)}
    assert (fold.open_disputes, fold.settled_disputes) == (0, 0)


def test_who_differs_from_the_definitive_value_made_an_error() -> None:
    fold = fold_of(
        (CAPTURED, 1, "ana", capture(3, 4)), (CAPTURED, 1, "beto", capture(3, 5)),
        (DISPUTED, 1, "beto", b"{}"),
    )  # fmt: skip
    assert fold.open_disputes == 1
    assert counts(fold) == {"ana": (0, 0), "beto": (0, 0)}, "nothing is anybody's error until it is settled"
    fold.apply(VERIFIED, 1, "resuelve", verdict(chosen=1))
    assert counts(fold) == {"ana": (1, 1), "beto": (1, 0)}
    assert (fold.open_disputes, fold.settled_disputes) == (0, 1)


def test_a_third_capture_that_agrees_leaves_one_person_wrong() -> None:
    fold = fold_of(
        (CAPTURED, 1, "ana", capture(3)), (CAPTURED, 1, "beto", capture(5)), (DISPUTED, 1, "beto", b"{}"),
        ("capture_requested", 1, "resuelve", b"{}"), (CAPTURED, 1, "carla", capture(5)),
        (VERIFIED, 1, "carla", verdict(chosen=1)),
    )  # fmt: skip
    assert counts(fold) == {"ana": (1, 1), "beto": (1, 0), "carla": (1, 0)}


def test_what_was_typed_from_an_image_that_was_replaced_is_not_judged() -> None:
    fold = fold_of(
        (CAPTURED, 1, "ana", capture(3)), (CAPTURED, 1, "beto", capture(5)), (DISPUTED, 1, "beto", b"{}"),
        ("image_replaced", 1, "escaner", b"{}"),
    )  # fmt: skip
    assert fold.open_disputes == 0
    fold.apply(CAPTURED, 1, "carla", capture(8))
    fold.apply(CAPTURED, 1, "dora", capture(8))
    fold.apply(VERIFIED, 1, "dora", verdict())
    assert counts(fold) == {"ana": (0, 0), "beto": (0, 0), "carla": (1, 0), "dora": (1, 0)}
    assert fold.settled_disputes == 0


def test_codes_are_of_the_actas_as_they_stand() -> None:
    fold = fold_of(
        (CAPTURED, 1, "ana", capture(3)), (CAPTURED, 1, "beto", capture(3)),
        (VERIFIED, 1, "beto", verdict(codes=("V6",), notices=("A3",))),
        ("sin_acta_marked", 2, "catd", orjson.dumps({"reason": "PAQUETE_SIN_SOBRE"})),
        ("outside_received", None, "catd", b"{}"),
    )  # fmt: skip
    assert +fold.codes == Counter({"V6": 1, "A3": 1, "S3": 1, "C1": 1})
    fold.apply("recall_approved", 1, "coordina", b"{}")
    fold.apply("outside_identified", 2, "coordina", b"{}")
    assert +fold.codes == Counter()


def test_an_acta_that_comes_after_it_was_given_for_lost_is_not_without_acta() -> None:
    lost = orjson.dumps({"reason": "PAQUETE_SIN_SOBRE"})
    fold = fold_of(("sin_acta_marked", 2, "catd", lost), ("sin_acta_marked", 2, "catd", lost))
    assert +fold.codes == Counter({"S3": 1})
    fold.apply("acta_received", 2, "catd", b"{}")
    assert +fold.codes == Counter()


@given(n=st.integers(1, 5_000), share=st.floats(0.0005, 0.9995))
def test_the_limit_is_the_quantile_of_the_binomial(n: int, share: float) -> None:
    assert binomial_limit(n, share) == int(binom.ppf(0.99, n, share))


def test_the_limit_holds_where_the_first_term_underflows() -> None:
    assert binomial_limit(200_000, 0.3) == int(binom.ppf(0.99, 200_000, 0.3))
    assert binomial_limit(50, 0.0) == 0
    assert binomial_limit(50, 1.0) == 50
    with pytest.raises(ValueError, match="share"):
        binomial_limit(5, 1.5)


def part(**changes: Any) -> dict[str, Any]:
    catds = changes.get("catds", [(0, 500, 20), (1, 100, 15), (2, 19, 19), (3, 400, 16)])
    return quality(changes.get("fold", QualityFold()), catds, [("GUB", "Gubernatura", 90, 81)])


def test_a_catd_is_beyond_its_limit_only_when_there_is_enough_to_compare() -> None:
    made = part()
    rows = {row["catd"]: row for row in made["catd"]}
    assert rows[1]["fuera"], "15 of 100 where the state has 7 %"
    assert not rows[0]["fuera"]
    assert rows[2]["limite_pct"] is None, "19 actas are too few to say anything"
    assert not rows[2]["fuera"]
    assert made["catd"][0]["catd"] == 1, "those beyond their limit come first"
    assert (made["catd_fuera"], made["catd_comparados"]) == (1, 3)


def test_only_the_worst_rows_are_in_the_snapshot_and_nobodys_name_is() -> None:
    fold = QualityFold()
    for acta in range(60):
        for actor in (f"persona-{acta % 30}", f"persona-{30 + acta % 30}"):
            fold.apply(CAPTURED, acta, actor, capture(acta))
        fold.apply(VERIFIED, acta, "x", verdict())
    made = part(fold=fold, catds=[(n, 100, 1) for n in range(40)])
    assert len(made["catd"]) == len(made["capturistas"]) == MOST_ROWS
    assert b"persona" not in orjson.dumps(made)


def test_the_gap_and_the_rate_of_resolution_add_up() -> None:
    fold = fold_of(
        *((CAPTURED, acta, "ana", capture(0)) for acta in (1, 2, 3, 4)),
        *((CAPTURED, acta, "beto", capture(1)) for acta in (1, 2, 3, 4)),
        *((DISPUTED, acta, "beto", b"{}") for acta in (1, 2, 3, 4)),
        *((VERIFIED, acta, "resuelve", verdict()) for acta in (1, 2, 3)),
    )  # fmt: skip
    made = part(fold=fold)
    assert made["disputas"] == {"abiertas": 1, "resueltas": 3, "tasa_pct": 75.0}
    assert made["brecha"] == [
        {
            "contienda": "GUB", "nombre": "Gubernatura", "capturadas": 90, "contabilizadas": 81,
            "brecha": 9, "pct": 10.0,
        }
    ]  # fmt: skip
    assert made["estado"]["errores"] == 3


def test_before_anything_is_captured_nothing_is_said_to_be_perfect() -> None:
    made = quality(QualityFold(), [(0, 0, 0)], [("GUB", "Gubernatura", 0, 0)])
    assert made["estado"]["pct"] is None
    assert made["disputas"]["tasa_pct"] is None
    assert made["brecha"][0]["pct"] is None


def test_the_names_follow_the_numbers_of_the_snapshot_and_only_what_is_new_is_read(tmp_path: Path) -> None:
    database = create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    schema.ledger.create(database)
    fold, people = QualityFold(), People(database)

    def record(seq: int, kind: str, actor: str) -> None:
        with database.begin() as connection:
            connection.execute(
                schema.ledger.insert().values(
                    seq=seq, kind=kind, acta=seq, at=0, device_at=None, recorded_at=0, actor=actor,
                    station="", data="{}", hash=b"",
                )
            )  # fmt: skip
        fold.apply(kind, seq, actor, b"{}")

    record(1, "acta_received", "acopio")
    record(2, CAPTURED, "zoe")
    record(3, CAPTURED, "ana")
    assert people.names() == {"personas": {"1": "zoe", "2": "ana"}}
    record(4, CAPTURED, "zoe")
    record(5, CAPTURED, "beto")
    assert people.names() == {"personas": {str(one.number): actor for actor, one in fold.actors.items()}}
    with database.connect() as connection:
        assert connection.execute(select(schema.ledger.c.seq)).all()
    database.dispose()
