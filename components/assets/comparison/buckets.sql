-- Per bucket: how many rows, and the sum of their digests, which does not depend on their order. A row's bucket follows
-- from its key, so it is the same on both sides. Sixty bits of each digest: their sum is exact, as a numeric.
select bucket, count(*), sum(digest)
  from (
    select ('x' || left(encode(sha256(convert_to(jsonb_build_array(:key)::text, 'UTF8')), 'hex'), 8))::bit(32)::bigint
             % :buckets as bucket,
           ('x' || left(encode(sha256(convert_to(to_jsonb(one)::text, 'UTF8')), 'hex'), 15))::bit(60)::bigint as digest
      from (select :columns from :table) as one
  ) as digests
  group by bucket;
