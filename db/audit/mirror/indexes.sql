-- SPDX-License-Identifier: Apache-2.0
--
-- What questions go by. Made behind the first whole import, which is the faster for it.

-- migration 1
CREATE INDEX IF NOT EXISTS leaf_time ON leaf (kind, time);
CREATE INDEX IF NOT EXISTS registration_nf ON registration (nf);
CREATE INDEX IF NOT EXISTS registration_supersedes ON registration (supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX IF NOT EXISTS request_rid ON request (rid);
CREATE INDEX IF NOT EXISTS request_registration ON request (registration);
CREATE INDEX IF NOT EXISTS refusal_rid ON refusal (rid);
CREATE INDEX IF NOT EXISTS approval_rid ON approval (rid);
CREATE INDEX IF NOT EXISTS approval_officer ON approval (officer);
CREATE INDEX IF NOT EXISTS certificate_rid ON certificate (rid);
CREATE INDEX IF NOT EXISTS certificate_nf ON certificate (nf);
CREATE INDEX IF NOT EXISTS certificate_registration ON certificate (registration);
CREATE INDEX IF NOT EXISTS certificate_not_after ON certificate (not_after);
CREATE INDEX IF NOT EXISTS certificate_spki ON certificate (spki_sha256);
CREATE INDEX IF NOT EXISTS name_value ON name (value);
CREATE INDEX IF NOT EXISTS revocation_serial ON revocation (serial);
CREATE INDEX IF NOT EXISTS queue_head_head ON queue_head (head);
