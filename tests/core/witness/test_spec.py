"""What the public C2SP specifications say word for word, with the examples they print.

tlog-witness, tlog-cosignature and tlog-tiles, as published at c2sp.org.
"""

from __future__ import annotations

import pytest

from core.transparency.notes import COSIGNATURE, Verifier, cosigned_at, cosigned_message, parse_note
from core.transparency.tiles import tile_path, tiles_for, width_at
from core.witness.client import WitnessAddress, cosign
from core.witness.errors import ContradictsError, SilentError
from core.witness.witness import parse_request
from tests.core.witness.logs import Story, witness_key
from tests.raw_server import raw_server

CHECKPOINT = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""
LOG_LINE = (
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9"
    "nTo+zyWE+xeMcTOAYQ8=\n"
)
WITNESS_LINE = (
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqh"
    "f5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
REQUEST = f"""old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

{CHECKPOINT}
{LOG_LINE}"""


def test_the_request_of_the_specification_is_read_and_written_the_same() -> None:
    request = parse_request(REQUEST.encode())
    assert (request.old, len(request.proof), request.checkpoint.size) == (20852014, 4, 20852163)
    assert request.checkpoint.origin == "example.com/behind-the-sofa"
    assert request.encode() == REQUEST.encode()


def test_the_cosignature_of_the_specification_says_its_time_and_its_message() -> None:
    note = parse_note(f"{CHECKPOINT}\n{LOG_LINE}{WITNESS_LINE}")
    assert cosigned_at(note.signatures[1]) == 1679315147
    assert (
        cosigned_message(note.text, 1679315147).decode() == f"cosignature/v1\ntime 1679315147\n{CHECKPOINT}"
    )


def test_a_witness_key_is_of_type_four_and_its_identifier_takes_it_in() -> None:
    key = witness_key("witness.example.com/w1").verifier
    assert key.kind == COSIGNATURE == 4
    assert Verifier.from_vkey(key.vkey) == key != Verifier(key.name, 1, key.public)


def test_tiles_are_those_of_the_examples() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path("entries", 273, 112) == "tile/entries/273.p/112"
    widths = {level: [width for at, _, width in tiles_for(0, 70_000) if at == level] for level in range(4)}
    assert widths == {0: [256] * 273 + [112], 1: [256, 17], 2: [1], 3: []}
    assert (width_at(0, 0, 256), width_at(1, 0, 256)) == (256, 1)


def refused(body: str, kind: str) -> bytes:
    return (
        f"HTTP/1.1 409 Conflict\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@pytest.mark.parametrize("body", ["", "root hash differs\n"], ids=["vacío", "texto"])
def test_a_conflict_without_a_size_is_a_fork_when_the_size_is_the_same(body: str) -> None:
    """Of another root for the very size it has, the protocol says the code and no body."""
    story, key = Story(), witness_key()
    tile = b"".join(story.tree.get(0, index) for index in range(5))
    with raw_server(refused(body, "text/plain")) as url:
        witness = WitnessAddress(url, key.verifier)
        with pytest.raises(ContradictsError, match="firmó otra raíz para 5 entradas"):
            cosign(witness, story.note(5), {"tile/0/000.p/5": tile}.__getitem__, old=5)
        with pytest.raises(SilentError, match="sin decir qué tamaño"):
            cosign(witness, story.note(5), {"tile/0/000.p/5": tile}.__getitem__, old=3)
