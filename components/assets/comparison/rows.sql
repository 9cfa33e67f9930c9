-- Key and content of each row in the wanted buckets, as digests: no value leaves the server.
select left(key, 32), left(encode(sha256(convert_to(content, 'UTF8')), 'hex'), 32)
  from (
    select encode(sha256(convert_to(jsonb_build_array(:key)::text, 'UTF8')), 'hex') as key, to_jsonb(one)::text as content
      from (select :columns from :table) as one
  ) as digests
  where ('x' || left(key, 8))::bit(32)::bigint % :buckets = any (string_to_array(:'wanted', ',')::bigint[]);
