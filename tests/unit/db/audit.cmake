# SPDX-License-Identifier: Apache-2.0
add_library(audit_ledger STATIC ${CMAKE_CURRENT_LIST_DIR}/audit_ledger.c)
target_link_libraries(audit_ledger PUBLIC ledger support PRIVATE flags)
nfpki_test(unit/db/audit LINK audit audit_ledger)
nfpki_test(unit/db/audit_rules LINK audit audit_ledger)
nfpki_test(unit/db/audit_approval LINK audit audit_ledger)
nfpki_test(unit/db/audit_renewal LINK audit support)
nfpki_test(unit/db/audit_program LINK audit_ledger)
add_dependencies(unit.db.audit_program nfpki-audit)
