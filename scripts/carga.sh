#!/usr/bin/env bash
# Pruebas de carga sobre un simulacro en vivo: portal detrás de nginx y con el servidor integrado, y la sala.
# Uso: carga.sh CARPETA_DE_PROGRAMAS [OPCIONES]; «carga.sh .venv/bin --ayuda» las dice.
#
# It installs what the system lacks (nginx, wrk, Chromium) and leaves the rest to the bench, which ends
# what it starts. The verdict is its exit code: 0, 2 a figure not reached, 3 something could not be run,
# 130 interrupted.
set -uo pipefail

cd "$(dirname "$0")/.." || exit 3
bin=${1:-}
if [ ! -x "$bin/python" ]; then
    echo "Uso: bash scripts/carga.sh CARPETA_DE_PROGRAMAS [OPCIONES]; por ejemplo .venv/bin --ayuda" >&2
    exit 3
fi
shift
# A wrong option is told before anything is installed.
"$bin/python" -m loadtests.bench --revisar "$@" || exit
case " $* " in *" -h "* | *" --ayuda "* | *" --help "*) exit 0 ;; esac
bash scripts/sistema.sh
exec "$bin/python" -m loadtests.bench "$@"
