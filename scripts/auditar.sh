#!/usr/bin/env bash
# Audita secretos y dependencias. Uso: auditar.sh CARPETA_DE_PROGRAMAS
#
# Sale con 0 si no hay nada, 1 si hay hallazgos, 3 si no se pudo preguntar por las vulnerabilidades: eso no
# es una auditoría limpia y nunca se da por tal. The tool that asks is no dependency of the project: it comes
# with the machine's own package index, in a place of its own, at the version named here.
set -uo pipefail

bin=$1
auditor=${AUDITOR:-"$bin/uv tool run --quiet --from pip-audit==2.10.0 pip-audit"}
service=${SERVICIO:-}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
code=0

echo "Secretos en los archivos del repositorio:"
mapfile -d '' -t names < <(git ls-files -z)
# It ends with 3, and writes, when only the lines of those already looked at moved: that is no finding.
cp .secrets.baseline "$place/seen.json"
"$bin/detect-secrets-hook" --baseline "$place/seen.json" --cores 2 "${names[@]}" >"$place/secrets" 2>&1
case $? in
    0 | 3) echo "  ninguno fuera de los ya revisados (.secrets.baseline)." ;;
    *)
        cat "$place/secrets" >&2
        echo "  HALLAZGOS: revise lo de arriba; lo que no sea secreto se anota en .secrets.baseline." >&2
        code=1
        ;;
esac

echo "Vulnerabilidades conocidas de requirements.lock, para este intérprete y sistema:"
# shellcheck disable=SC2086 - the command and its options are words.
$auditor --requirement requirements.lock --disable-pip --require-hashes --vulnerability-service osv \
    ${service:+--osv-url "$service"} --progress-spinner off --format json --output "$place/found.json" \
    >"$place/said" 2>&1
status=$?

# The tool ends with 1 both when it finds something and when nobody answers it: only what it wrote tells.
"$bin/python" - "$place/found.json" "$status" <<'PYTHON'
import json
import sys

try:
    with open(sys.argv[1], encoding="utf-8") as file:
        packages = json.load(file)["dependencies"]
    skipped = [one for one in packages if "vulns" not in one]
    found = [(one["name"], one["version"], bug) for one in packages for bug in one.get("vulns", ())]
except (OSError, ValueError, KeyError, TypeError):
    raise SystemExit(3) from None
if not packages or (int(sys.argv[2]) not in (0, 1)):
    raise SystemExit(3)
for name, version, bug in found:
    fixed = ", ".join(bug.get("fix_versions", ())) or "ninguna todavía"
    print(f"  {name} {version}: {bug['id']} (corregida en: {fixed})")
for one in skipped:
    print(f"  {one['name']}: no se pudo revisar ({one.get('skip_reason', 'sin motivo')})")
print(f"  {len(packages) - len(skipped)} paquetes revisados, {len(found)} vulnerabilidades conocidas.")
raise SystemExit(1 if found else 3 if skipped else 0)
PYTHON
case $? in
    0) ;;
    1) code=1 ;;
    *)
        tail -n 1 "$place/said" | cut -c1-300 >&2
        echo "  NO SE AUDITARON: el servicio de vulnerabilidades no contestó desde esta máquina." >&2
        echo "  Esto no dice que no las haya. Corra «make auditar» donde haya salida a ese servicio." >&2
        [ $code -ne 0 ] || code=3
        ;;
esac
exit $code
