-- One migration, named by the variables file, revision, checksum and alone. It is applied and recorded together,
-- or not at all; one that must run alone (no transaction) is recorded only when it left no invalid index.
set role :"owner";
set search_path = :"service";

select count(*) > 0 as done from migrations.applied where revision = :'revision' \gset
select pg_temp.refuse(format('%s was changed after it had been applied; undo that, and write a new migration', revision))
  from migrations.applied where revision = :'revision' and checksum <> :'checksum';
-- A file that slips in before one that has run would run in another order here than elsewhere.
select pg_temp.refuse(format('%s comes before %s, which has run; give it a higher number', :'revision', max(revision)))
  from migrations.applied where not :'done'::boolean having max(revision) > :'revision';

\if :done
\elif :alone
  set lock_timeout = 0;  -- it waits without being in anyone's way
  \i :file
  call pg_temp.refuse_invalid_indexes();
  insert into migrations.applied (revision, checksum) values (:'revision', :'checksum');
  \echo applied :revision
\else
  begin;
  set local lock_timeout = :'lock_timeout';
  \i :file
  insert into migrations.applied (revision, checksum) values (:'revision', :'checksum');
  commit;
  \echo applied :revision
\endif
reset role;
