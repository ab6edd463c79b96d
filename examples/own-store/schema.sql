-- "C": bytes are compared, so that no two keys that only look alike are one.
create table if not exists contract_records (
  key     text collate "C" primary key,
  kind    text not null,
  version bigint not null,
  api     text collate "C",
  client  text collate "C",
  state   text,
  record  json not null
);
create index if not exists contract_records_by_client on contract_records (kind, client, key);
create index if not exists contract_records_by_api on contract_records (kind, api, key);
create index if not exists contract_records_by_state on contract_records (kind, state, key);
