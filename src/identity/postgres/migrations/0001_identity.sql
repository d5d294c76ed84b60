-- Identity: people, their devices, sessions and keys. What is personal is sealed (AES-256-GCM, src/identity/keyring.ts) and
-- found by a keyed blind index. Instants come from the processes' clock unless a column says otherwise.

CREATE SCHEMA identity;

CREATE TABLE identity.users (
  id                  text        PRIMARY KEY, -- random; `user:<id>` everywhere else
  tenant              text        NOT NULL,
  roles               text[]      NOT NULL CHECK (roles <@ ARRAY['customer', 'merchant', 'support', 'reviewer', 'admin']),
  -- Access tokens carry it; those with an older one are refused, so that a role that was taken away is gone at once.
  roles_version       integer     NOT NULL DEFAULT 1,
  login_kind          text        NOT NULL CHECK (login_kind IN ('phone', 'email')),
  login_sealed        bytea       NOT NULL,
  password_sealed     bytea       NOT NULL, -- an Argon2id hash, sealed: a stolen table alone cannot be guessed at
  created_at          timestamptz NOT NULL,
  password_changed_at timestamptz NOT NULL
);
CREATE INDEX ON identity.users (id) WHERE 'admin' = ANY (roles);

-- The keys that values are sealed with, each with a value to prove it: a process whose keyring lacks one, or has another
-- under the same id, finds out when it starts and not when somebody logs in.
CREATE TABLE identity.keyring (
  key_id       text  PRIMARY KEY,
  proof_sealed bytea NOT NULL
);

-- One row per key of the keyring: processes that know an older or a newer keyring find the same person.
CREATE TABLE identity.login_index (
  key_id      text  NOT NULL,
  blind_index bytea NOT NULL, -- HMAC-SHA-256 of tenant, kind and normalised login
  user_id     text  NOT NULL REFERENCES identity.users,
  PRIMARY KEY (key_id, blind_index)
);
CREATE INDEX ON identity.login_index (user_id);

CREATE TABLE identity.devices (
  user_id       text        NOT NULL REFERENCES identity.users,
  device_id     text        NOT NULL,
  public_key    bytea       NOT NULL CHECK (octet_length(public_key) = 32), -- Ed25519, raw
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, device_id)
);

-- A session is one log-in on one device, and one family of refresh tokens.
CREATE TABLE identity.sessions (
  id           text        PRIMARY KEY,
  user_id      text        NOT NULL,
  device_id    text        NOT NULL,
  created_at   timestamptz NOT NULL,
  last_used_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL, -- whatever happens in between
  ended_at     timestamptz,
  ended_why    text        CHECK ((ended_why IS NULL) = (ended_at IS NULL)),
  FOREIGN KEY (user_id, device_id) REFERENCES identity.devices
);
CREATE INDEX ON identity.sessions (user_id) WHERE ended_at IS NULL;
CREATE INDEX ON identity.sessions (expires_at);

CREATE TABLE identity.refresh_tokens (
  hash       bytea       PRIMARY KEY, -- sha256; the token itself is 256 random bits
  session_id text        NOT NULL REFERENCES identity.sessions ON DELETE CASCADE,
  issued_at  timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);
-- Used ones are kept until their session goes: that is how a second use is known. One live token per family, whatever races.
CREATE UNIQUE INDEX ON identity.refresh_tokens (session_id) WHERE used_at IS NULL;
CREATE INDEX ON identity.refresh_tokens (session_id);

-- What makes access tokens bad before they end, for the processes that ask for it every second; kept a little longer than
-- any access token. The database's clock, because several processes read it.
CREATE TABLE identity.revocations (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  session_id    text,
  user_id       text,
  roles_version integer,
  CHECK ((session_id IS NOT NULL AND user_id IS NULL AND roles_version IS NULL)
      OR (session_id IS NULL AND user_id IS NOT NULL AND roles_version IS NOT NULL))
);
CREATE INDEX ON identity.revocations (at);

CREATE TABLE identity.signing_keys (
  kid            text        PRIMARY KEY, -- JWK thumbprint (RFC 7638)
  public_key     bytea       NOT NULL CHECK (octet_length(public_key) = 32),
  private_sealed bytea       NOT NULL,
  signs_from     timestamptz NOT NULL,
  signs_until    timestamptz NOT NULL CHECK (signs_until > signs_from),
  verifies_until timestamptz NOT NULL CHECK (verifies_until > signs_until)
);

-- Back-off: one row per login and per address that was tried, as keyed hashes.
CREATE TABLE identity.attempts (
  subject       text        PRIMARY KEY,
  failures      integer     NOT NULL,
  last_at       timestamptz NOT NULL,
  blocked_until timestamptz
);
CREATE INDEX ON identity.attempts (last_at);

-- Nonces of sensitive commands, until their time-stamp is outside of the window and refused by itself.
CREATE TABLE identity.nonces (
  user_id    text        NOT NULL,
  device_id  text        NOT NULL,
  nonce      text        NOT NULL,
  keep_until timestamptz NOT NULL,
  PRIMARY KEY (user_id, device_id, nonce)
);
CREATE INDEX ON identity.nonces (keep_until);

-- The journal of every decision. Who and about whom are ids, where from is a keyed hash: nothing in it is personal.
CREATE TABLE identity.audit (
  id             bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(), -- the database's clock
  at             timestamptz NOT NULL,
  tenant         text        NOT NULL,
  actor          text        NOT NULL, -- user:<id>, service:<name>, operator, or unknown
  action         text        NOT NULL,
  outcome        text        NOT NULL, -- accepted, or the code of the refusal
  subject        text,                 -- whom it is about
  session_id     text,
  device_id      text,
  login_hash     text,                 -- keyed hash of the login that was given, also where nobody has it
  origin_hash    text,                 -- keyed hash of the address that it came from
  correlation_id text,
  detail         jsonb
);
CREATE INDEX ON identity.audit (subject, id);
CREATE INDEX ON identity.audit (recorded_at);

CREATE FUNCTION identity.refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'identity.audit is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
-- For everybody, the owner included: the role of the module has no such right in the first place.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON identity.audit
  FOR EACH STATEMENT EXECUTE FUNCTION identity.refuse_rewriting();
