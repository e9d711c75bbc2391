"""The frame of ``prep``: how verbs are found, how answers and errors are written, in which language."""

from __future__ import annotations

import argparse
import ast
import inspect
import io
import json
import pickle
import re
import subprocess
import sys
import time
import types
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from rich.table import Table

from core import cli
from core.cli import Answer, Output, Verb, main, verb_names
from core.cli_spanish import TEXTS, ArgumentsError, SpanishParser
from core.errors import InputError, PrepError, UsageError

Prep = Callable[..., "subprocess.CompletedProcess[str]"]

# Words of argparse's own texts that are no Spanish word.
ENGLISH = re.compile(
    r"\b(usage|options?|positional|arguments?|show|this|message|exit|the|following|are|required|one|of"
    r"|expected|invalid|choice|choose|from|value|unrecognized|ambiguous|could|match|ignored|explicit|not"
    r"|allowed|with|at|least|most|default)\b",
    re.IGNORECASE,
)


def english_words(text: str) -> list[str]:
    """The English words of a text; the names of the options «--help» and the like do not count."""
    return ENGLISH.findall(re.sub(r"--[a-z-]+", "", text))


def declare(monkeypatch: pytest.MonkeyPatch, verb: Verb, listed_as: str | None = None) -> None:
    """Makes ``prep`` know one verb, as if a module of core declared it."""
    module = types.ModuleType("declared_for_the_test")
    module.VERB = verb  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cli, "OWN_VERBS", {listed_as or verb.name: f"{module.__name__}:VERB"})


def probar(run: Callable[[argparse.Namespace, Output], Answer]) -> Verb:
    """A verb with one argument of each kind."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("archivo", help="el archivo")
        parser.add_argument("--semilla", type=int, help="número entero")
        parser.add_argument("--ritmo", type=float, help="número")
        parser.add_argument("--dialecto", choices=["opl", "ine"], help="el dialecto")
        parser.add_argument("--par", nargs=2, metavar="N", help="dos valores")
        parser.add_argument("--lista", nargs="+", metavar="N", help="uno o más")
        either = parser.add_mutually_exclusive_group()
        either.add_argument("--real", action="store_true", help="tiempo real")
        either.add_argument("--virtual", action="store_true", help="tiempo virtual")

    return Verb("probar", "prueba algo", add_arguments, run, examples=("prep probar archivo.csv",))


def answers(exit_code: int, data: dict[str, object], text: str) -> Verb:
    return probar(lambda args, out: Answer(exit_code, data, text))


def raises(error: BaseException) -> Verb:
    def run(args: argparse.Namespace, out: Output) -> Answer:
        raise error

    return probar(run)


class TestHelp:
    def test_it_lists_every_verb_with_its_summary(self, prep: Prep) -> None:
        done = prep("--help")
        assert done.returncode == 0
        listed = re.findall(r"^  ([a-z]+)  +([A-Z].+)$", done.stdout, re.MULTILINE)
        assert [name for name, _ in listed] == verb_names()
        for name, summary in listed:
            assert f"{summary}." in " ".join(prep(name, "--help").stdout.split())

    def test_the_verbs_bear_the_names_scripts_rely_on(self) -> None:
        assert set(verb_names()) == set(cli.ORDER) == {
            "simular", "repetir", "revisar", "analizar", "comprobar", "catalogo", "calibrar", "exportar",
            "control", "sala", "informe", "escenario", "dimensionar", "experimento", "pronostico",
            "publicar", "portal", "verificar", "testigo", "llave", "constancia", "carga", "fallas",
        }  # fmt: skip

    def test_it_loads_no_heavy_library(self) -> None:
        code = (
            "import sys; from core.cli import main; main(['--help']);"
            "heavy = {'pandas', 'numpy', 'simpy', 'sqlalchemy', 'plotly', 'matplotlib', 'rich', 'dash'};"
            "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stderr.strip() == "[]"

    def test_it_answers_at_once(self, prep: Prep) -> None:
        # The best of a few: other processes share the machine.
        def seconds() -> float:
            begun = time.perf_counter()
            prep("--help")
            return time.perf_counter() - begun

        assert min(seconds() for _ in range(5)) < 0.3

    def test_without_arguments_the_help_goes_to_stderr_and_it_is_bad_usage(self, prep: Prep) -> None:
        done = prep()
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("uso: prep VERBO")

    def test_the_version_is_told(self, prep: Prep) -> None:
        done = prep("--version")
        assert done.returncode == 0
        assert re.fullmatch(r"prep \d+\.\d+.*\n", done.stdout)

    def test_a_verb_whose_module_is_missing_does_not_break_the_help(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(cli, "OWN_VERBS", {"probar": "core.absent_module:VERB"})
        assert main(["--help"]) == 0
        assert re.search(r"probar +\(no se pudo cargar\)", capsys.readouterr().out)

    def test_a_verb_whose_module_is_missing_is_an_internal_error_and_no_answer(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(cli, "OWN_VERBS", {"probar": "core.absent_module:VERB"})
        assert main(["probar", "--json"]) == 70
        said = capsys.readouterr()
        assert "error interno" in said.err
        assert "core.absent_module" in json.loads(said.out)["error"]["mensaje"]

    def test_a_module_that_declares_another_verb_is_an_internal_error(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(monkeypatch, answers(0, {}, ""), listed_as="otro")
        assert main(["otro", "archivo"]) == 70
        assert "no declara el verbo «otro»" in capsys.readouterr().err

    def test_a_verb_shows_its_arguments_and_its_examples(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(monkeypatch, answers(0, {}, ""))
        assert main(["probar", "--help"]) == 0
        shown = capsys.readouterr().out
        for part in ("uso: prep probar", "Prueba algo.", "--json", "--silencio", "prep probar archivo.csv"):
            assert part in shown


class TestAnswers:
    def test_with_json_stdout_is_one_object_with_accents_as_they_are(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(
            monkeypatch, answers(1, {"año": "café", "ruta": Path("a/b"), "día": date(2021, 6, 6)}, "texto")
        )
        assert main(["probar", "x", "--json"]) == 1
        written = capsys.readouterr().out
        assert json.loads(written) == {"año": "café", "ruta": "a/b", "día": "2021-06-06"}
        assert "café" in written
        assert written.count("\n") == 1

    def test_without_json_stdout_is_the_text(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(monkeypatch, answers(0, {"a": 1}, "Todo en orden."))
        assert main(["probar", "x"]) == 0
        assert capsys.readouterr().out == "Todo en orden.\n"

    def test_tables_follow_the_text_and_are_not_cut_in_a_pipe(self) -> None:
        table = Table("casilla", "observación")
        table.add_row("B1", "x" * 90)
        stdout = io.StringIO()
        Output(stdout=stdout).answer(Answer(0, {}, "Resumen", views=(table,)))
        assert stdout.getvalue().startswith("Resumen\n")
        assert "x" * 90 in stdout.getvalue()

    def test_json_that_is_not_json_is_refused(self) -> None:
        with pytest.raises(ValueError):
            Output(as_json=True, stdout=io.StringIO()).json({"porcentaje": float("nan")})

    def test_accents_survive_a_plain_ascii_environment(self, prep: Prep) -> None:
        done = prep("--help", PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0")
        assert done.returncode == 0
        assert "catálogo" in done.stdout


class TestErrors:
    def test_bad_input_is_told_without_a_traceback(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        error = InputError("noche.csv", 12, "SECCION", "un número de cuatro dígitos", "12A")
        declare(monkeypatch, raises(error))
        assert main(["probar", "x"]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err == (
            "prep probar: error: noche.csv, línea 12, columna SECCION: "
            "se esperaba un número de cuatro dígitos; se encontró «12A»\n"
        )

    def test_bad_input_with_json_is_an_object_too(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(monkeypatch, raises(InputError("noche.csv", 12, "SECCION", "un número", "12A")))
        assert main(["probar", "x", "--json"]) == 2
        error = json.loads(capsys.readouterr().out)["error"]
        assert (error["archivo"], error["linea"], error["columna"]) == ("noche.csv", 12, "SECCION")
        assert (error["esperado"], error["encontrado"]) == ("un número", "12A")

    def test_a_missing_file_is_told_in_spanish(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        def run(args: argparse.Namespace, out: Output) -> Answer:
            return Answer(0, {}, Path(args.archivo).read_text())

        declare(monkeypatch, probar(run))
        assert main(["probar", str(tmp_path / "nada.csv")]) == 2
        said = capsys.readouterr().err
        assert said == f"prep probar: error: no se pudo abrir «{tmp_path / 'nada.csv'}»: no existe\n"
        assert main(["probar", str(tmp_path)]) == 2
        assert "es una carpeta" in capsys.readouterr().err

    def test_the_keyboard_ends_it_with_130(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(monkeypatch, raises(KeyboardInterrupt()))
        assert main(["probar", "x"]) == 130
        assert "Interrumpido" in capsys.readouterr().err

    def test_a_crash_never_looks_like_an_answer(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        declare(monkeypatch, raises(ZeroDivisionError("x")))
        assert main(["probar", "x"]) == 70
        assert "error interno: ZeroDivisionError" in capsys.readouterr().err

    def test_an_unknown_verb_gets_the_nearest_one(self, prep: Prep) -> None:
        done = prep("simula", "--json")
        assert done.returncode == 2
        assert "¿quiso decir «simular»?" in done.stderr
        assert "simular" in json.loads(done.stdout)["error"]["mensaje"]

    def test_a_reader_that_leaves_early_is_no_error(self, repository: Path) -> None:
        code = (
            "import sys; from core.cli_output import Output; from core import cli\n"
            "from core.cli import Answer, Verb\n"
            "verb = Verb('revisar', 'x', lambda p: None, lambda a, o: Answer(0, {}, 'línea\\n' * 200000))\n"
            "cli._load = lambda name: verb\n"
            "sys.exit(cli.main(['revisar']))"
        )
        done = subprocess.run(
            ["bash", "-c", '"$0" -c "$1" | head -n 1; echo "${PIPESTATUS[0]}"', sys.executable, code],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
            cwd=repository,
        )
        assert (done.stdout, done.stderr) == ("línea\n0\n", "")


class TestInputError:
    def test_it_names_only_the_places_it_knows(self) -> None:
        assert str(InputError("a.csv", expected="un encabezado")) == "a.csv: se esperaba un encabezado"
        assert str(InputError("a.csv", 3, message="clave repetida")) == "a.csv, línea 3: clave repetida"

    def test_it_crosses_processes_whole(self) -> None:
        error = InputError(Path("a.csv"), 3, "X", "un número", "y", message="porque sí")
        again = pickle.loads(pickle.dumps(error))
        assert str(again) == str(error)
        assert again.as_data() == error.as_data()

    def test_every_error_is_a_prep_error(self) -> None:
        assert issubclass(InputError, PrepError)
        assert issubclass(UsageError, PrepError)
        assert issubclass(ArgumentsError, UsageError)


class TestSpanish:
    def test_every_text_of_this_argparse_that_a_user_can_see_is_translated(self) -> None:
        untranslated = argparse_texts() - set(TEXTS) - OF_THE_PROGRAMMER
        assert untranslated == set()

    def test_translations_keep_the_places_to_fill(self) -> None:
        places = re.compile(r"%(?:\(\w+\))?[rs]")
        for english, spanish in TEXTS.items():
            assert sorted(places.findall(english)) == sorted(places.findall(spanish)), english

    @pytest.mark.parametrize("verb", ["prep", "probar"])
    def test_no_english_word_in_the_help(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
    ) -> None:
        declare(monkeypatch, answers(0, {}, ""))
        assert main(["--help"] if verb == "prep" else [verb, "--help"]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith("uso: ")
        assert "opciones:" in shown
        assert english_words(shown) == []

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ([], "los siguientes argumentos son obligatorios: archivo"),
            (["x", "--nada"], "argumento no reconocido: --nada"),
            (["x", "--dialecto", "otro"], "argumento --dialecto: elección no válida: 'otro'"),
            (
                ["x", "--semilla", "uno"],
                "argumento --semilla: se esperaba un número entero; se recibió «uno»",
            ),
            (["x", "--ritmo", "uno"], "argumento --ritmo: se esperaba un número; se recibió «uno»"),
            (["x", "--semilla"], "argumento --semilla: se esperaba un valor"),
            (["x", "--par", "1"], "argumento --par: se esperaban 2 valores"),
            (["x", "--lista"], "argumento --lista: se esperaba al menos un valor"),
            (["x", "--json=sí"], "argumento --json: la opción no lleva valor y se le dio 'sí'"),
            (["x", "--real", "--virtual"], "no se permite junto con el argumento --real"),
            (["x", "--silen"], "argumento no reconocido: --silen"),
        ],
    )
    def test_no_english_word_in_the_errors(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        arguments: list[str],
        expected: str,
    ) -> None:
        declare(monkeypatch, answers(0, {}, ""))
        assert main(["probar", *arguments]) == 2
        said = capsys.readouterr().err
        assert expected in said
        assert said.startswith("uso: prep probar")
        assert english_words(said) == []

    def test_other_parsers_of_the_process_keep_their_language(self) -> None:
        SpanishParser(prog="x").format_help()
        assert "show this help message and exit" in argparse.ArgumentParser(prog="x").format_help()


OF_THE_PROGRAMMER = {
    # Told to whoever writes a parser, never to whoever uses it.
    "'required' is an invalid argument for positionals",
    "%r is not callable",
    ".__call__() not defined",
    'argument "-" with mode %r',
    "cannot have multiple subparser arguments",
    "cannot merge actions - two groups are named %r",
    "conflicting option string: %s",
    "conflicting option strings: %s",
    "conflicting subparser alias: %s",
    "conflicting subparser: %s",
    "dest= is required for options like %r",
    "invalid conflict_resolution value: %r",
    "invalid option string %(option)r: must start with a character %(prefix_chars)r",
    "mutually exclusive arguments must be optional",
}


def argparse_texts() -> set[str]:
    """The texts this Python's argparse asks a translation for."""
    texts: set[str] = set()
    for node in ast.walk(ast.parse(inspect.getsource(argparse))):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("_", "ngettext")
        ):
            constants = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            texts.update(text for text in constants if isinstance(text, str))
    return texts


class TestProgress:
    def test_outside_a_terminal_it_is_one_line_every_five_seconds_and_one_at_the_end(self) -> None:
        instants = iter(range(100))
        stderr = io.StringIO()
        out = Output(stderr=stderr, clock=lambda: float(next(instants)))
        with out.progress("Simulando", 12) as progress:
            for _ in range(12):
                progress.advance(detail="corte 3")
        assert stderr.getvalue().splitlines() == [
            "Simulando: 5 de 12 (41 %), corte 3, 5 s",
            "Simulando: 10 de 12 (83 %), corte 3, 10 s",
            "Simulando: 12 de 12 (100 %), corte 3, 13 s",
        ]

    def test_silence_is_complete_but_for_warnings(self) -> None:
        stderr = io.StringIO()
        out = Output(silent=True, stderr=stderr, clock=iter(range(0, 1000, 10)).__next__)
        with out.progress("Simulando", 3) as progress:
            progress.advance(3)
        out.note("Listo")
        assert stderr.getvalue() == ""
        out.warn("falta el catálogo")
        assert stderr.getvalue() == "aviso: falta el catálogo\n"

    def test_a_step_that_fails_does_not_claim_to_have_ended(self) -> None:
        stderr = io.StringIO()
        with pytest.raises(ZeroDivisionError), Output(stderr=stderr).progress("Simulando", 3):
            raise ZeroDivisionError
        assert stderr.getvalue() == ""

    def test_on_a_terminal_it_is_a_bar_and_stdout_stays_clean(self) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        stdout, stderr = io.StringIO(), Terminal()
        with Output(stdout=stdout, stderr=stderr).progress("Simulando", 3) as progress:
            progress.advance(3, "corte 1")
        assert "Simulando" in stderr.getvalue()
        assert "3/3" in stderr.getvalue()
        assert "corte 1" in stderr.getvalue()
        assert stdout.getvalue() == ""
