"""What the engine refuses of holds, missed cuts and notices. Data for a test."""

from __future__ import annotations

from core.domain.commands import NoticeType
from core.domain.refusals import Refusal
from tests.core.domain.room_refusals import Scenario
from tests.core.domain.small import MINUTE, START

PUBLICATION_SCENARIOS: list[tuple[str, Refusal, Scenario]] = [
    ("a hold for nothing", Refusal.NEEDS_REASON, lambda o: [o.hold(reason=" ")]),
    ("a hold without a key", Refusal.NEEDS_REASON, lambda o: [o.hold("")]),
    (
        "a hold authorised by whoever proposed it", Refusal.SAME_PERSON,
        lambda o: [o.hold(), o.authorise_hold(actor="opera")],
    ),
    ("a hold nobody proposed", Refusal.PUBLICATION_STATE, lambda o: [o.authorise_hold()]),
    ("a hold over another", Refusal.PUBLICATION_STATE, lambda o: [o.hold(), o.hold("d2")]),
    ("another hold authorised", Refusal.PUBLICATION_STATE, lambda o: [o.hold(), o.authorise_hold("d2")]),
    ("a hold dismissed once held", Refusal.PUBLICATION_STATE, lambda o: [*o.held(), o.dismiss_hold()]),
    (
        "the key of a hold used again", Refusal.PUBLICATION_STATE,
        lambda o: [o.hold(), o.dismiss_hold(), o.hold()],
    ),
    ("a release of what nobody holds", Refusal.PUBLICATION_STATE, lambda o: [o.release()]),
    ("a release for nothing", Refusal.NEEDS_REASON, lambda o: [*o.held(), o.release(reason="")]),
    (
        "a release authorised by whoever proposed it", Refusal.SAME_PERSON,
        lambda o: [*o.held(), o.release(), o.authorise_release(actor="opera")],
    ),
    ("a cut while held", Refusal.PUBLICATION_STATE, lambda o: [*o.held(), o.cut(1, 1)]),
    (
        "a cut while its release is only proposed", Refusal.PUBLICATION_STATE,
        lambda o: [*o.held(), o.release(), o.cut(1, 1)],
    ),
    ("a cut after the last", Refusal.WRONG_CUT, lambda o: [o.cut(1, 1, last=True), o.cut(2, 1)]),
    (
        "a notice after the last cut", Refusal.PUBLICATION_STATE,
        lambda o: [o.cut(1, 1, last=True), o.notice()],
    ),
    ("a notice for nothing", Refusal.NEEDS_REASON, lambda o: [o.notice(reason=" ")]),
    ("a notice that ends before it begins", Refusal.BAD_PERIOD, lambda o: [o.notice(until=START - 1)]),
    ("a notice whose detail is no object", Refusal.UNWRITABLE, lambda o: [o.notice(detail="[]")]),
    ("a notice of no hours", Refusal.UNWRITABLE, lambda o: [o.notice(slots=("a",))]),
    ("an early close with actas missing", Refusal.NOT_COMPLETE, lambda o: [o.notice(NoticeType.EARLY_CLOSE)]),
    ("a slot missed twice", Refusal.PUBLICATION_STATE, lambda o: [o.miss(START), o.miss(START)]),
    ("a slot of the future missed", Refusal.OUTSIDE_PERIOD, lambda o: [o.miss(START + 60 * MINUTE)]),
    ("a slot before the start missed", Refusal.OUTSIDE_PERIOD, lambda o: [o.miss(START - 1)]),
    ("a slot missed for nothing", Refusal.NEEDS_REASON, lambda o: [o.miss(START, reason="")]),
]  # fmt: skip
