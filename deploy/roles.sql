-- Permisos mínimos de cada proceso. La corre quien administra el servidor, ya con las tablas:
--     psql -v ON_ERROR_STOP=1 -1 -f deploy/roles.sql BASE
-- Correrla otra vez deja lo mismo. Hecha por «python -m core.storage.roles»: no se edita.
-- Después, una contraseña para cada quien:  \password prep_motor

-- prep_motor: el proceso que registra actas (captura, verificación, simulador).
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prep_motor') THEN
        CREATE ROLE prep_motor LOGIN;
    END IF;
END $$;

ALTER ROLE prep_motor NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT -1;

-- prep_publicador: prep publicar.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prep_publicador') THEN
        CREATE ROLE prep_publicador LOGIN;
    END IF;
END $$;

ALTER ROLE prep_publicador NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT 20;

-- prep_sala: prep sala: alertas, incidentes, medidas y detenciones; ninguna acta.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prep_sala') THEN
        CREATE ROLE prep_sala LOGIN;
    END IF;
END $$;

ALTER ROLE prep_sala NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT 30;

-- prep_auditor: prep comprobar, exportar y constancia; nada más lee.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'prep_auditor') THEN
        CREATE ROLE prep_auditor LOGIN;
    END IF;
END $$;

ALTER ROLE prep_auditor NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT CONNECTION LIMIT 10;

-- Nadie más: ni entra a la base, ni crea tablas, ni conserva permisos de antes.
DO $$ BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM prep_motor, prep_publicador, prep_sala, prep_auditor', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO prep_motor, prep_publicador, prep_sala, prep_auditor', current_database());
END $$;

REVOKE ALL ON SCHEMA public FROM PUBLIC, prep_motor, prep_publicador, prep_sala, prep_auditor;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, prep_motor, prep_publicador, prep_sala, prep_auditor;

GRANT USAGE ON SCHEMA public TO prep_motor, prep_publicador, prep_sala, prep_auditor;

-- Todos leen todo: no hay datos personales de electores.
GRANT SELECT ON "acta", "catalog", "command", "emission_slot", "image", "lease", "ledger", "meta", "outside", "pulse", "result", "alembic_version" TO prep_motor, prep_publicador, prep_sala, prep_auditor;

GRANT INSERT ON "meta", "catalog", "acta", "result", "outside", "image", "ledger", "command", "pulse" TO prep_motor;

GRANT UPDATE ("status", "seq", "received_at", "digitized_at", "captured_at", "verified_at") ON "acta" TO prep_motor;

GRANT UPDATE ("identified_as") ON "outside" TO prep_motor;

GRANT DELETE ON "result" TO prep_motor;

GRANT INSERT ON "ledger", "command", "emission_slot", "lease" TO prep_publicador;

GRANT UPDATE ("status") ON "acta" TO prep_publicador;

GRANT UPDATE ("state", "attempts", "holder", "started_at", "ended_at", "number", "error") ON "emission_slot" TO prep_publicador;

GRANT UPDATE ("holder", "until", "fence") ON "lease" TO prep_publicador;

GRANT INSERT ON "ledger", "command" TO prep_sala;

-- Cada renglón de la bitácora es el que sigue y su huella sale de la anterior, lo agregue quien lo agregue:
-- la misma cuenta que hace el motor (core/storage/store.py, «chain»).
CREATE OR REPLACE FUNCTION bitacora_encadenada() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before_seq bigint;
    before_hash bytea;
BEGIN
    SELECT seq, hash INTO before_seq, before_hash FROM public.ledger ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(before_seq, 0) + 1 THEN
        RAISE EXCEPTION 'el renglón % de la bitácora no es el que sigue', NEW.seq USING ERRCODE = '23514';
    END IF;
    IF json_typeof(NEW.data::json) <> 'object' OR NEW.hash <> sha256(
        coalesce(before_hash, decode(repeat('00', 32), 'hex')) || convert_to(
            '[' || NEW.seq || ',' || to_json(NEW.kind) || ',' || coalesce(NEW.acta::text, 'null')
            || ',' || NEW.at || ',' || coalesce(NEW.device_at::text, 'null') || ',' || NEW.recorded_at
            || ',' || to_json(NEW.actor) || ',' || to_json(NEW.station) || ',' || to_json(NEW.data) || ']',
            'UTF8')) THEN
        RAISE EXCEPTION 'el renglón % de la bitácora no encadena', NEW.seq USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER IF EXISTS bitacora_encadenada ON ledger;

CREATE TRIGGER bitacora_encadenada BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION bitacora_encadenada();

-- La bitácora del motor solo crece, y cada quien agrega nada más lo suyo, con llaves suyas.

ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS todos_leen ON ledger;

CREATE POLICY todos_leen ON ledger FOR SELECT TO prep_motor, prep_publicador, prep_sala, prep_auditor USING (true);

DROP POLICY IF EXISTS prep_motor_agrega ON ledger;

CREATE POLICY prep_motor_agrega ON ledger FOR INSERT TO prep_motor WITH CHECK (true);

DROP POLICY IF EXISTS prep_publicador_agrega ON ledger;

CREATE POLICY prep_publicador_agrega ON ledger FOR INSERT TO prep_publicador WITH CHECK (acta IS NULL AND kind IN (
    'cut_published',
    'cut_refused',
    'cut_missed',
    'notice_issued',
    'operation_closed'));

DROP POLICY IF EXISTS prep_sala_agrega ON ledger;

CREATE POLICY prep_sala_agrega ON ledger FOR INSERT TO prep_sala WITH CHECK (acta IS NULL AND kind IN (
    'incident_opened',
    'measure_applied',
    'incident_attended',
    'incident_assigned',
    'incident_noted',
    'incident_contained',
    'incident_resolved',
    'incident_closed',
    'incident_reopened',
    'incident_merged',
    'measure_proposed',
    'measure_authorised',
    'measure_dismissed',
    'measure_step_done',
    'measure_ended',
    'alert_acknowledged',
    'alert_silenced',
    'hold_proposed',
    'hold_authorised',
    'hold_dismissed',
    'release_proposed',
    'release_authorised',
    'release_dismissed'));

DROP POLICY IF EXISTS prep_auditor_agrega ON ledger;

ALTER TABLE command ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS todos_leen ON command;

CREATE POLICY todos_leen ON command FOR SELECT TO prep_motor, prep_publicador, prep_sala, prep_auditor USING (true);

DROP POLICY IF EXISTS prep_motor_agrega ON command;

CREATE POLICY prep_motor_agrega ON command FOR INSERT TO prep_motor WITH CHECK (true);

DROP POLICY IF EXISTS prep_publicador_agrega ON command;

CREATE POLICY prep_publicador_agrega ON command FOR INSERT TO prep_publicador WITH CHECK ((starts_with(key, 'corte-') OR starts_with(key, 'perdida-') OR starts_with(key, 'aviso-') OR starts_with(key, 'cierre-')) AND (
    refusal IS NOT NULL AND seq_first IS NULL AND seq_last IS NULL
    OR refusal IS NULL AND seq_last >= seq_first AND seq_last - seq_first + 1 = (
        SELECT count(*) FROM ledger WHERE seq BETWEEN command.seq_first AND command.seq_last
        AND kind IN (
    'cut_published',
    'cut_refused',
    'cut_missed',
    'notice_issued',
    'operation_closed'))));

DROP POLICY IF EXISTS prep_sala_agrega ON command;

CREATE POLICY prep_sala_agrega ON command FOR INSERT TO prep_sala WITH CHECK ((starts_with(key, 'sala-')) AND (
    refusal IS NOT NULL AND seq_first IS NULL AND seq_last IS NULL
    OR refusal IS NULL AND seq_last >= seq_first AND seq_last - seq_first + 1 = (
        SELECT count(*) FROM ledger WHERE seq BETWEEN command.seq_first AND command.seq_last
        AND kind IN (
    'incident_opened',
    'measure_applied',
    'incident_attended',
    'incident_assigned',
    'incident_noted',
    'incident_contained',
    'incident_resolved',
    'incident_closed',
    'incident_reopened',
    'incident_merged',
    'measure_proposed',
    'measure_authorised',
    'measure_dismissed',
    'measure_step_done',
    'measure_ended',
    'alert_acknowledged',
    'alert_silenced',
    'hold_proposed',
    'hold_authorised',
    'hold_dismissed',
    'release_proposed',
    'release_authorised',
    'release_dismissed'))));

DROP POLICY IF EXISTS prep_auditor_agrega ON command;

-- De un acta, el publicador solo hace publicada la verificada que su último corte incluye.

ALTER TABLE acta ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS todos_leen ON acta;

CREATE POLICY todos_leen ON acta FOR SELECT TO prep_motor, prep_publicador, prep_sala, prep_auditor USING (true);

DROP POLICY IF EXISTS prep_motor_agrega ON acta;

CREATE POLICY prep_motor_agrega ON acta FOR INSERT TO prep_motor WITH CHECK (true);

DROP POLICY IF EXISTS prep_publicador_agrega ON acta;

DROP POLICY IF EXISTS prep_sala_agrega ON acta;

DROP POLICY IF EXISTS prep_auditor_agrega ON acta;

DROP POLICY IF EXISTS prep_motor_cambia ON acta;

DROP POLICY IF EXISTS prep_publicador_publica ON acta;

CREATE POLICY prep_motor_cambia ON acta FOR UPDATE TO prep_motor USING (true) WITH CHECK (true);

CREATE POLICY prep_publicador_publica ON acta FOR UPDATE TO prep_publicador
    USING (status = 'verificada')
    WITH CHECK (status = 'publicada' AND seq <= (
        SELECT (data::json ->> 'seq_high')::bigint FROM ledger
        WHERE kind = 'cut_published' ORDER BY ledger.seq DESC LIMIT 1));

ALTER ROLE prep_auditor SET default_transaction_read_only = on;
