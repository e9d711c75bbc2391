#!/usr/bin/env bash
# Rehace requirements.lock. Uso: candado.sh UV
#
# One lock for Python 3.11 to 3.13 on any system, every package pinned and hashed. It names no server:
# packages come from wherever the machine's pip is told to look.
set -euo pipefail

uv=$1
"$uv" pip compile pyproject.toml --all-extras --universal --python-version 3.11 --upgrade \
    --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
    --quiet --output-file requirements.lock

if grep -nE '://|^-' requirements.lock >&2; then
    echo "requirements.lock quedó con direcciones u opciones; no debe tenerlas." >&2
    exit 1
fi
echo "requirements.lock: $(grep -c '==' requirements.lock) paquetes." >&2
echo "Después de «make entorno» rehaga la tabla: .venv/bin/python scripts/dependencias.py" >&2
