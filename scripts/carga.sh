#!/usr/bin/env bash
# Pruebas de carga sobre un simulacro en vivo: portal detrás de nginx y con el servidor integrado, y la sala.
# Uso: carga.sh CARPETA_DE_PROGRAMAS [OPCIONES DE loadtests.bench]
#
# It installs what the system lacks (nginx, wrk, Chromium) and leaves the rest to the bench, which ends
# what it starts. The verdict is its exit code: 0, 2 a figure not reached, 3 something could not be run.
set -uo pipefail

bin=$1
shift
cd "$(dirname "$0")/.."
bash scripts/sistema.sh
exec "$bin/python" -m loadtests.bench "$@"
