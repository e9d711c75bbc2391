# Verbos del proyecto; «make» a secas enseña la lista.
#
# Every path is relative to this directory, where make runs: that is what lets the checkout live under a
# path with spaces.

PYTHON ?= python3
PYTEST_ARGS ?= -n 2 --dist loadgroup
PUERTO ?= 8050

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.entorno

.DEFAULT_GOAL := help
.PHONY: help entorno simulacro sala portal test lint formato bench carga auditar candado limpio

help: ## Enseña esta lista
	@echo 'Uso: make VERBO'
	@echo
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  \1|\2/p' Makefile | while IFS='|' read -r verb text; do printf '  %-10s %s\n' $$verb "$$text"; done
	@echo
	@echo 'Variables: PYTHON=python3.12 elige el intérprete al crear el entorno;'
	@echo '           PYTEST_ARGS="-k actas" elige qué pruebas corren;'
	@echo '           PUERTO=8051 elige el puerto de la sala y del portal;'
	@echo '           DESTINO=s3://cubo/prep?endpoint=… lleva lo publicado también ahí.'

entorno: $(STAMP) ## Crea .venv con las versiones exactas de requirements.lock

$(STAMP): requirements.lock pyproject.toml scripts/entorno.sh
	@bash scripts/entorno.sh "$(PYTHON)" $(VENV)
	@touch $(STAMP)

simulacro: entorno ## Corre el quinto simulacro de Jalisco 2021 completo y publica sus cortes
	@$(BIN)/prep simular scenarios/jalisco-2021/simulacro-5.toml --salida salida/simulacro-5 --semilla 2021 --reemplazar
	@$(BIN)/prep informe salida/simulacro-5 --salida salida/informe || test $$? -eq 1

sala: entorno ## Abre la sala de control sobre un simulacro en vivo; Ctrl-C detiene los dos
	@bash scripts/en-vivo.sh sala $(BIN) salida/sala "$(PUERTO)"

portal: entorno ## Publica un simulacro en vivo y abre su portal; Ctrl-C detiene los dos
	@bash scripts/en-vivo.sh portal $(BIN) salida/portal "$(PUERTO)"

test: entorno ## Corre las revisiones de estilo y todas las pruebas
	@bash scripts/sistema.sh
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: entorno ## Revisa estilo, tipos y reglas de importación
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy --strict
	$(BIN)/lint-imports --no-logo

formato: entorno ## Da formato al código y corrige lo que se puede corregir solo
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: entorno ## Mide velocidad y memoria e imprime las razones
	@$(BIN)/python -m benchmarks

carga: entorno ## Prueba con carga el portal y la sala de un simulacro en vivo, con veredicto
	@bash scripts/carga.sh $(BIN)

auditar: entorno ## Busca secretos y vulnerabilidades conocidas; 3 si no se pudo preguntar
	@bash scripts/auditar.sh $(BIN)

candado: entorno ## Rehace requirements.lock con las versiones más recientes que admite pyproject.toml
	@bash scripts/candado.sh $(BIN)/uv

limpio: ## Borra el entorno, las salidas y los cachés
	rm -rf $(VENV) salida build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
