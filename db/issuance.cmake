# SPDX-License-Identifier: Apache-2.0
if(TARGET ledger)
  nfpki_library(issuance
    SOURCES issuance.c issuance_admissible.c issuance_approval.c issuance_check.c issuance_confirmation.c issuance_end.c
      issuance_holder.c issuance_intent.c issuance_registration.c issuance_request.c
      issuance_renewal.c issuance_retry.c issuance_revocation.c issuance_role.c
    HEADERS issuance.h issuance_approval.h issuance_renewal.h issuance_role.h issuance_rows.h
    LINK store ledger)
  nfpki_embed_sql(issuance ca.sql issuance_migrations)
endif()
