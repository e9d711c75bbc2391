"""Nobody adds a reader of files without saying here who tries it with bad ones."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points

from core.cli import ENTRY_POINT_GROUP, OWN_VERBS
from tests.conftest import REPOSITORY
from tests.fuzz.readers import READERS
from tests.fuzz.registry import OPTIONS, PARSERS

NAMES = {one.name for one in READERS}
FILES = (
    "ARCHIVO",
    "DIR",
    "TOML",
    "CSV",
    "CARPETA",
    "PEM",
    "VKEY",
    "OTRO",
    "INCIDENCIA",
    "REFERENCIA",
    "FOTO",
    "OTRA",
)
"""Words that tell, in the help of an argument, that it names a file or a folder."""
PACKAGES = ("core", "simulator", "control_room", "loadtests")
PARSE = {
    "json.loads",
    "json.load",
    "orjson.loads",
    "tomllib.loads",
    "tomllib.load",
    "csv.reader",
    "csv.DictReader",
    "zipfile.ZipFile",
    "Image.open",
    "pickle.load",
    "pickle.loads",
    "toml_of",
    "json_of",
    "TomlFile",
    "read_json",
}
"""Calls that turn the bytes of a file into something."""


def _arguments(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.Action]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, inner in action.choices.items():
                yield from _arguments(inner, f"{name} {word}")
        else:
            yield f"{name} {action.option_strings[0] if action.option_strings else action.dest}", action


def _file_options() -> set[str]:
    verbs = {**OWN_VERBS, **{one.name: one.value for one in entry_points(group=ENTRY_POINT_GROUP)}}
    found = set()
    for name, target in verbs.items():
        module, _, attribute = target.partition(":")
        parser = argparse.ArgumentParser(name)
        getattr(import_module(module), attribute).add_arguments(parser)
        for option, action in _arguments(parser, name):
            named = any(word in str(action.metavar) for word in FILES) or option.endswith(" --base")
            if getattr(action.type, "__name__", "") == "Path" or named:
                found.add(option)
    return found


def _parsers() -> set[str]:
    found = set()
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            calls = (
                node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
            )
            if any(ast.unparse(call.func) in PARSE for call in calls):
                found.add(".".join(path.relative_to(REPOSITORY).with_suffix("").parts))
    return found


def _unknown(said: str) -> bool:
    """Whether what is said of an option or module names no reader, and is no reason either."""
    return not said.startswith("no: ") and any(one not in NAMES for one in said.split("; "))


def test_every_option_that_names_a_file_says_who_tries_it() -> None:
    found = _file_options()
    assert found - OPTIONS.keys() == set(), "say in tests/fuzz/registry.py who reads what these name"
    assert OPTIONS.keys() - found == set(), "these options are no more"
    assert [one for one, said in OPTIONS.items() if _unknown(said)] == []


def test_every_module_that_parses_something_says_who_tries_it() -> None:
    families = {one for one in PARSERS if one.endswith(".*")}
    found = {next((one for one in families if module.startswith(one[:-1])), module) for module in _parsers()}
    assert found - PARSERS.keys() == set(), "say in tests/fuzz/registry.py who tries these with bad files"
    assert PARSERS.keys() - found == set(), "these modules parse nothing any more"
    assert [one for one, said in PARSERS.items() if _unknown(said)] == []


def test_every_reader_tried_is_named_by_an_option_or_a_module() -> None:
    named = {one for said in (*OPTIONS.values(), *PARSERS.values()) for one in said.split("; ")}
    assert NAMES - named == set()
