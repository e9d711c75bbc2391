"""The pages written into a publication."""

from __future__ import annotations

import gzip
import re
from hashlib import sha256
from pathlib import Path

import pytest

from core.errors import UsageError
from core.portal.site import ASSETS, SiteOptions, build_site
from core.publication.public_tree import is_public


def _tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_writing_the_pages_again_touches_nothing_and_another_folder_gets_the_same_bytes(
    tmp_path: Path,
) -> None:
    one, two = tmp_path / "uno", tmp_path / "dos"
    keys = build_site(one, mode="simulacro", place="Jalisco")
    before = _tree(one)
    assert build_site(one, mode="simulacro", place="Jalisco") == keys
    assert _tree(one) == before
    build_site(two, mode="simulacro", place="Jalisco")
    assert {key: data for key, (data, _) in _tree(two).items()} == {
        k: data for k, (data, _) in before.items()
    }
    assert sorted(before) == sorted(keys)
    assert all(is_public(key) for key in keys)


def test_every_asset_is_named_by_its_content_and_every_reference_exists(tmp_path: Path) -> None:
    build_site(tmp_path, mode="oficial", place="Jalisco")
    for path in (tmp_path / "sitio").iterdir():
        assert path.stem == sha256(path.read_bytes()).hexdigest()[:16]
    for page in tmp_path.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "{{" not in text
        for name in re.findall(r'(?:src|href)="([^"#:]+)"', text):
            assert name == "corte.json" or (tmp_path / name).is_file() or name == "verificar.html", name
            assert not name.startswith("/"), "the portal must work in any folder of a server"


def test_no_page_carries_a_script_or_a_style_inside(tmp_path: Path) -> None:
    """The policy of content admits none: one that slipped in would break the page in silence."""
    build_site(tmp_path, mode="oficial")
    for page in tmp_path.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text)
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text)
        assert "http://" not in text.replace("http://www.w3.org", "")
    for script in (ASSETS / "js").glob("*.js"):
        code = script.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|document\.cookie", code
        )


def test_pages_are_marked_only_in_a_rehearsal(tmp_path: Path) -> None:
    build_site(tmp_path / "s", mode="simulacro", place="Jalisco")
    build_site(tmp_path / "o", mode="oficial", place="Jalisco")
    rehearsal, official = ((tmp_path / one / "index.html").read_text(encoding="utf-8") for one in "so")
    assert 'data-modo="simulacro"' in rehearsal
    assert "<title>SIMULACRO · PREP Jalisco</title>" in rehearsal
    assert 'data-modo="oficial"' in official
    assert "<title>PREP Jalisco</title>" in official


def test_what_the_publication_says_of_itself_is_escaped(tmp_path: Path) -> None:
    build_site(tmp_path, mode="oficial", place="<script>x</script>", election='"& {{csp}} portal.js')
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<script>x" not in text
    assert "&quot;&amp; {{csp}} portal.js" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"difusores": (("Diario", "javascript:alert(1)"),)}, "difusor «Diario»"),
        ({"contact": "javascript:alert(1)"}, "contacto"),
        ({"poll_ms": 5}, "100 ms"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        SiteOptions(**options)  # type: ignore[arg-type]


def test_a_mode_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="«prueba»"):
        build_site(tmp_path, mode="prueba")


def test_page_style_and_scripts_leave_room_for_the_data_in_sixty_kilobytes(tmp_path: Path) -> None:
    build_site(tmp_path, mode="simulacro", place="Jalisco")
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    names = ["index.html", *re.findall(r'(?:src|href)="(sitio/[^"]+)"', text)]
    packed = sum(len(gzip.compress((tmp_path / name).read_bytes(), 6)) for name in names)
    assert packed < 40_000
