-- SPDX-License-Identifier: Apache-2.0
--
-- What questions go by. Made behind the first whole import, which is the faster for it. An index of
-- one value has its rows in the order of leaves, which is that of answers.

-- migration 1
-- What became of each request is looked up by these.
CREATE INDEX IF NOT EXISTS certificate_rid ON certificate (rid);
CREATE INDEX IF NOT EXISTS refusal_rid ON refusal (rid);

-- migration 2
CREATE INDEX IF NOT EXISTS leaf_time ON leaf (kind, time);
CREATE INDEX IF NOT EXISTS registration_nf ON registration (nf);
CREATE INDEX IF NOT EXISTS registration_registrar ON registration (registrar);
CREATE INDEX IF NOT EXISTS registration_not_after ON registration (not_after);
CREATE INDEX IF NOT EXISTS registration_first_use ON registration (first_use);
CREATE INDEX IF NOT EXISTS registration_cancelled ON registration (cancelled) WHERE cancelled IS NOT NULL;
CREATE INDEX IF NOT EXISTS registration_supersedes ON registration (supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX IF NOT EXISTS allowed_value ON allowed (type, value) WHERE type <> 'profile';
CREATE INDEX IF NOT EXISTS cancellation_registration ON cancellation (registration);
CREATE INDEX IF NOT EXISTS request_rid ON request (rid);
CREATE INDEX IF NOT EXISTS request_registration ON request (registration);
CREATE INDEX IF NOT EXISTS request_status ON request (status);
CREATE INDEX IF NOT EXISTS request_profile ON request (profile);
CREATE INDEX IF NOT EXISTS request_profile_status ON request (profile, status);
CREATE INDEX IF NOT EXISTS repeat_again ON repeat (again);
CREATE INDEX IF NOT EXISTS queue_head_head ON queue_head (head);
CREATE INDEX IF NOT EXISTS queue_head_ra ON queue_head (ra);
CREATE INDEX IF NOT EXISTS refusal_registration ON refusal (registration);
CREATE INDEX IF NOT EXISTS reported_registration ON reported (registration);
CREATE INDEX IF NOT EXISTS reported_about ON reported (CAST(coalesce(registration, config) AS BLOB));
CREATE INDEX IF NOT EXISTS reported_object ON reported (object);
CREATE INDEX IF NOT EXISTS approval_rid ON approval (rid);
CREATE INDEX IF NOT EXISTS approval_registration ON approval (registration);
CREATE INDEX IF NOT EXISTS approval_officer ON approval (officer);
CREATE INDEX IF NOT EXISTS approval_decision ON approval (decision);
CREATE INDEX IF NOT EXISTS approval_key ON approval (key);
CREATE INDEX IF NOT EXISTS certificate_nf ON certificate (nf);
CREATE INDEX IF NOT EXISTS certificate_registration ON certificate (registration);
CREATE INDEX IF NOT EXISTS certificate_status ON certificate (status);
CREATE INDEX IF NOT EXISTS certificate_profile ON certificate (profile);
CREATE INDEX IF NOT EXISTS certificate_profile_status ON certificate (profile, status);
CREATE INDEX IF NOT EXISTS certificate_by ON certificate (by) WHERE by IS NOT NULL;
CREATE INDEX IF NOT EXISTS certificate_not_after ON certificate (not_after);
CREATE INDEX IF NOT EXISTS certificate_spki ON certificate (spki_sha256);
CREATE INDEX IF NOT EXISTS certificate_issued ON certificate (issued);
CREATE INDEX IF NOT EXISTS certificate_confirmed ON certificate (confirmed);
CREATE INDEX IF NOT EXISTS certificate_rejected ON certificate (rejected) WHERE rejected IS NOT NULL;
CREATE INDEX IF NOT EXISTS name_value ON name (value);
CREATE INDEX IF NOT EXISTS revocation_serial ON revocation (serial);
CREATE INDEX IF NOT EXISTS revocation_certificate ON revocation (certificate);
CREATE INDEX IF NOT EXISTS revocation_reason ON revocation (reason);
CREATE INDEX IF NOT EXISTS revocation_profile ON revocation (profile);
CREATE INDEX IF NOT EXISTS revocation_rr ON revocation (rr) WHERE rr IS NOT NULL;
CREATE INDEX IF NOT EXISTS command_object ON command (object);
