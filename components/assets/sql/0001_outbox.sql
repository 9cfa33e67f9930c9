-- What a service must tell others is written in the transaction of the change itself, so neither is without the other;
-- a relay publishes it afterwards, at least once. The inbox lets the receiver drop what it has had already.
create table outbox (
  id bigint generated always as identity primary key,
  topic text not null check (topic <> ''),
  key text not null,
  payload jsonb not null,
  created_at timestamptz not null default now(),
  published_at timestamptz
);
create index outbox_waiting on outbox (id) where published_at is null;

-- What was said stays as it was said: only the mark that it has been published can change.
revoke update on outbox from :"writer";
grant update (published_at) on outbox to :"writer";

create table inbox (
  source text not null,
  message_id text not null,
  received_at timestamptz not null default now(),
  primary key (source, message_id)
);
revoke update on inbox from :"writer";
