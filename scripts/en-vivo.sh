#!/usr/bin/env bash
# Ensayo en vivo con la sala de control, o con el portal, encima.
# Uso: [DESTINO=carpeta|s3://…] en-vivo.sh sala|portal CARPETA_DE_PROGRAMAS SALIDA PUERTO [ESCENARIO [MINUTO]]
#
# It runs the fifth rehearsal of Jalisco 2021 live at ×60, from the moment its CATDs begin to be in trouble,
# and on it the room or the portal. Ctrl-C ends both; a night that has ended stays there until then. The
# portal serves SALIDA-publico, where only what is public goes; DESTINO is one more place for it.
set -uo pipefail

what=$1
bin=$2
run=$3
port=$4
scenario=${5:-scenarios/jalisco-2021/simulacro-5.toml}
seed=2021
speed=60
# At 206 internet has been failing in some CATDs for an hour and a half; at 210 the continuity plan begins in
# six districts: four seconds after the room opens.
forward=${6:-206}
log=$run.log
public=$run-publico

simulation=
screen=

running() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

leave() {
    trap '' INT TERM HUP
    # What is being written is finished; whoever does not leave is made to.
    for signal in INT TERM KILL; do
        for one in $screen $simulation; do
            running "$one" && kill -"$signal" "$one" 2>/dev/null
        done
        for _ in $(seq 60); do
            running "$screen" || running "$simulation" || break 2
            sleep 0.1
        done
    done
    wait 2>/dev/null
}

stop() {
    echo >&2
    echo "Se detienen $([ "$what" = sala ] && echo la sala || echo el portal) y el simulacro…" >&2
    leave
    exit 130
}
trap stop INT TERM HUP

taken() {
    "$bin/python" - "$port" "$what" <<'PYTHON'
import sys
from core.errors import PrepError
from core.listening import check_port

try:
    check_port("127.0.0.1", int(sys.argv[1]))
except ValueError:
    sys.exit(f"PUERTO debe ser un número; se encontró «{sys.argv[1]}».")
except PrepError:
    sys.exit(f"El puerto {sys.argv[1]} está ocupado o no se puede usar. Elija otro así: make {sys.argv[2]} PUERTO=8051")
PYTHON
}
taken || exit 2

mkdir -p "$(dirname "$log")"
more=()
if [ "$what" = portal ]; then
    # A night that begins again is another log: what the one before left there would not be touched by it.
    if [ -e "$public/.prep-candado" ]; then
        rm -rf "$public"
    elif [ -n "$(ls -A "$public" 2>/dev/null)" ]; then
        echo "La carpeta $public tiene archivos que no son de una publicación; muévalos." >&2
        exit 2
    fi
    mkdir -p "$public"
    # A few actas with their image, to see one; drawing them all would hold the clock back.
    more+=(--destino "portal=$public" --imagenes 0.01)
fi
[ -n "${DESTINO:-}" ] && more+=(--destino "$DESTINO")
echo "Simulacro de $scenario a ×$speed, desde el minuto $forward de la noche." >&2
# Each in a process group of its own: the Ctrl-C of the terminal comes here only, and each is told to leave
# once, in order. What the shell starts in the background ignores INT until it is told otherwise.
apart='import os, signal, sys
os.setpgid(0, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])'
"$bin/python" -c "$apart" "$bin/prep" simular "$scenario" --salida "$run" --semilla "$seed" --reemplazar \
    --velocidad "$speed" --adelantar "$forward" "${more[@]}" --silencio </dev/null >"$log" 2>&1 &
simulation=$!

state() { "$bin/prep" control "$run" estado --json 2>/dev/null; }
echo "Se prepara la noche hasta ese minuto (unos veinte segundos)…" >&2
until state | grep -q '"estado": *"corriendo"'; do
    if ! running "$simulation"; then
        simulation=
        echo "El simulacro no arrancó:" >&2
        cat "$log" >&2
        exit 1
    fi
    sleep 0.5
done

if [ "$what" = sala ]; then
    command=(sala --base "$run/prep.db" --corrida "$run" --escenario "$scenario" --demo)
else
    command=(portal "$public")
fi
"$bin/python" -c "$apart" "$bin/prep" "${command[@]}" --puerto "$port" </dev/null &
screen=$!
wait "$screen"
code=$?
screen=
leave
exit "$code"
