# SPDX-License-Identifier: Apache-2.0
# The auditor: a library that tests can call, and the program.
nfpki_library(audit
  SOURCES audit_approval.c audit_registrar.c audit_signed.c audit_files.c audit_walk.c audit_certificate.c audit_holder.c audit_renewal.c audit_retry.c audit_rules.c audit_verify.c audit_index.c
    audit_story.c audit_print.c audit_json.c
  HEADERS audit_approval.h audit_registrar.h audit_signed.h audit_files.h audit_walk.h audit_certificate.h audit_holder.h audit_renewal.h audit_retry.h audit_rules.h audit_verify.h audit_index.h
    audit_story.h audit_print.h
  LINK ledger PkgConfig::JANSSON)
nfpki_program(nfpki-audit COMPONENTS audit DESTINATION ${CMAKE_INSTALL_BINDIR}
  SOURCES audit.c LINK audit MAN nfpki-audit.1)
