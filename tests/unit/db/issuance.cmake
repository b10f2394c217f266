# SPDX-License-Identifier: Apache-2.0
if(TARGET issuance)
  nfpki_library(issuance_scene SOURCES issuance_scene.c HEADERS issuance_scene.h LINK support issuance)
  nfpki_test(unit/db/issuance LINK issuance_scene)
  nfpki_test(unit/db/issuance_approval LINK issuance_scene)
  nfpki_test(unit/db/issuance_end LINK issuance_scene)
  nfpki_test(unit/db/issuance_renewal LINK issuance_scene)
  nfpki_test(unit/db/issuance_role LINK issuance_scene)
endif()
