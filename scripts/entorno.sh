#!/usr/bin/env bash
# Crea o pone al día el entorno del proyecto. Uso: entorno.sh PYTHON CARPETA
#
# Needs only Python 3.11+ with pip. Debian ships Python without the part of venv that brings pip along;
# there the environment is made without it and the interpreter's own pip fills it.
set -euo pipefail

python=$1
venv=$2

if ! "$python" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Se necesita Python 3.11 o posterior. «$python» no lo es o no está instalado." >&2
    echo "Indique otro así: make entorno PYTHON=python3.12" >&2
    exit 2
fi

echo "Preparando el entorno en $venv (la primera vez tarda alrededor de un minuto)…" >&2
if ! [ -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import encodings' 2>/dev/null; then
    if ! "$python" -m venv --clear "$venv" >/dev/null 2>&1; then
        "$python" -m venv --clear --without-pip "$venv"
    fi
fi

if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip=("$venv/bin/python" -m pip)
else
    pip=("$python" -m pip --python "$venv/bin/python")
fi

"${pip[@]}" --disable-pip-version-check install -qq --require-hashes -r requirements.lock
"${pip[@]}" --disable-pip-version-check install -qq --no-deps --no-build-isolation -e .
