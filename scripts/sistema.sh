#!/usr/bin/env bash
# Instala los programas del sistema que piden las pruebas: PostgreSQL 15 o posterior, Chromium, nginx y wrk.
#
# Does nothing where they are present. Where they cannot be installed it says so and ends well: the tests
# that need them are skipped with their reason, and fail under CI=true.
set -euo pipefail

has_postgres() {
    local initdb version
    for initdb in /usr/lib/postgresql/*/bin/initdb "$(command -v initdb || true)"; do
        [ -x "$initdb" ] || continue
        version=$("$initdb" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
        if [ "${version:-0}" -ge 15 ]; then
            return 0
        fi
    done
    return 1
}

has_chromium() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
        command -v google-chrome >/dev/null
}

has_nginx() {
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]
}

missing=()
has_postgres || missing+=(postgresql)
has_chromium || missing+=(chromium)
has_nginx || missing+=(nginx-light)
command -v wrk >/dev/null || missing+=(wrk)
[ ${#missing[@]} -eq 0 ] && exit 0

cannot() {
    echo "No se pudo instalar ${missing[*]}: $1" >&2
    if [ "${CI:-}" = true ]; then
        echo "Las pruebas que los piden van a fallar." >&2
    else
        echo "Las pruebas que los piden se van a omitir; instálelos con el gestor de su sistema." >&2
    fi
    exit 0
}

command -v apt-get >/dev/null || cannot "este sistema no tiene apt-get."
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || cannot "hace falta ser root o tener sudo sin contraseña."
    as_root=(sudo -n)
fi

echo "Instalando del sistema: ${missing[*]}…" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y "$@" >>"$log" 2>&1
}
# One by one, so that a package this system does not have keeps nobody else out.
apt update || true
failed=()
for package in "${missing[@]}"; do
    apt install --no-install-recommends "$package" || failed+=("$package")
done
if [ ${#failed[@]} -gt 0 ]; then
    tail -n 20 "$log" >&2
    missing=("${failed[@]}")
    cannot "apt-get falló (arriba, sus últimas líneas)."
fi
if ! has_postgres; then
    missing=(postgresql)
    cannot "la versión de este sistema es anterior a la 15."
fi
