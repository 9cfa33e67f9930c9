-- What every run does first, holding the lock: its helpers, the roles, and the record of what has been applied.
set client_min_messages = warning;
-- A run whose pod is killed stops in the server too, and lets go of its locks. The default is to go on to the end.
set client_connection_check_interval = '5s';

create function pg_temp.refuse(why text) returns void language plpgsql as $$
begin
  raise exception '%', why;
end
$$;

-- An index whose concurrent build failed stays behind, invalid: queries do not use it, yet every write pays for it.
-- A partitioned table's own index is no index to build (relkind I), and is invalid until its parts have theirs.
create procedure pg_temp.refuse_invalid_indexes() language plpgsql as $$
declare
  found text;
begin
  select string_agg(i.indexrelid::regclass::text, ', ' order by 1) into found
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relkind = 'i' and not i.indisvalid;
  if found is not null then
    raise exception 'invalid index: %', found using hint = 'drop it with DROP INDEX CONCURRENTLY, then run again';
  end if;
end
$$;

begin;
\ir roles.sql
create schema if not exists migrations authorization :"owner";
set local role :"owner";
create table if not exists migrations.applied (
  revision text primary key,
  checksum text not null,
  applied_at timestamptz not null default now(),
  applied_by text not null default session_user
);
commit;
