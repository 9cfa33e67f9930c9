-- The four roles of a service, and what each may do. Run by the database's administrator, again and again.
--   owner      owns the schema and all in it; nobody signs in as it
--   migrator   signs in and works as the owner: for migrations only
--   writer     reads and writes rows
--   reader     reads rows
-- They have no password. On RDS they sign in with IAM, on CloudNativePG with a client certificate.
-- What a migration takes away from a role stays away: nothing is granted here on objects that exist already.

select :'service' || '_owner' as owner,
       :'service' || '_migrator' as migrator,
       :'service' || '_writer' as writer,
       :'service' || '_reader' as reader \gset

select format('create role %I nologin', name)
  from (values (:'owner')) as wanted (name)
  where not exists (select from pg_roles where rolname = name) \gexec
select format('create role %I login noinherit', name)
  from (values (:'migrator'), (:'writer'), (:'reader')) as wanted (name)
  where not exists (select from pg_roles where rolname = name) \gexec
select format('grant rds_iam to %I', name)
  from (values (:'migrator'), (:'writer'), (:'reader')) as wanted (name)
  where exists (select from pg_roles where rolname = 'rds_iam') \gexec

-- The administrator makes things in the owner's name, and compares rows as the reader; the migrator is the owner from
-- its first statement on.
grant :"owner", :"reader" to current_user;
grant :"owner" to :"migrator";
alter role :"migrator" set role to :'owner';
alter role :"reader" set default_transaction_read_only to on;

select format('revoke all on database %I from public', current_database()) \gexec
select format('grant connect on database %I to %I', current_database(), name)
  from (values (:'migrator'), (:'writer'), (:'reader')) as wanted (name) \gexec
select format('grant temporary on database %I to %I', current_database(), :'owner') \gexec
revoke all on schema public from public;

create schema if not exists :"service" authorization :"owner";
grant usage on schema :"service" to :"writer", :"reader";
select format('alter role %I set search_path to %I', name, :'service')
  from (values (:'migrator'), (:'writer'), (:'reader')) as wanted (name) \gexec

-- What the owner makes from now on.
alter default privileges for role :"owner" revoke execute on functions from public;
alter default privileges for role :"owner" in schema :"service"
  grant select on tables to :"reader";
alter default privileges for role :"owner" in schema :"service"
  grant select, insert, update, delete on tables to :"writer";
alter default privileges for role :"owner" in schema :"service"
  grant usage on sequences to :"writer";
alter default privileges for role :"owner" in schema :"service"
  grant execute on functions to :"writer";
