-- The columns that are compared, quoted, in one order. Nothing when there is no such table.
select string_agg(format('%I', attname), ', ' order by attname collate "C")
  from pg_attribute
  where attrelid = to_regclass(:'table') and attnum > 0 and not attisdropped
    and attname <> all (string_to_array(:'ignored', ','));
