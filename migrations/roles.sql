-- The cluster's part of NEXA: roles belong to the whole server, so they are made once, before the first migration.
-- Start-up runs this file by itself when its login may create roles; otherwise a superuser runs it once by hand:
--     psql --dbname <database> --file migrations/roles.sql
-- It may be run again at any time.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('nexa_owner',     'NOLOGIN NOINHERIT NOBYPASSRLS'),  -- owns every object, runs the migrations
            ('nexa_system',    'NOLOGIN NOINHERIT BYPASSRLS'),    -- owns the few SECURITY DEFINER functions
            ('nexa_app',       'LOGIN NOINHERIT NOBYPASSRLS'),    -- what the program runs as; owns nothing
            ('nexa_tenant',    'NOLOGIN NOINHERIT NOBYPASSRLS'),  -- a transaction of one organization
            ('nexa_staff',     'NOLOGIN NOINHERIT NOBYPASSRLS'),  -- a transaction of the platform's own people
            ('nexa_presenter', 'NOLOGIN NOINHERIT NOBYPASSRLS'),  -- a transaction that sees demo organizations only
            ('nexa_entry',     'NOLOGIN NOINHERIT NOBYPASSRLS')   -- what happens before there is an actor
        ) AS role(name, attributes)
    LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
        END IF;
    END LOOP;
    GRANT nexa_tenant, nexa_staff, nexa_presenter, nexa_entry TO nexa_app;
    GRANT nexa_system TO nexa_owner;
    -- A login that is no superuser migrates and serves through membership.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = session_user) THEN
        EXECUTE format('GRANT nexa_owner, nexa_app TO %I', session_user);
    END IF;
    EXECUTE format('GRANT CREATE, CONNECT, TEMPORARY ON DATABASE %I TO nexa_owner', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO nexa_app', current_database());
    -- Nothing of ours needs a temporary table at run time, and one could stand in front of a table of the same name.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, nexa_app', current_database());
    GRANT CREATE, USAGE ON SCHEMA public TO nexa_owner;
END $$;
