# SPDX-License-Identifier: Apache-2.0
nfpki_library(requests
  SOURCES requests.c requests_answers.c requests_certificates.c requests_expiry.c requests_queue.c requests_registrations.c
  HEADERS requests.h requests_rows.h
  LINK store)
nfpki_embed_sql(requests ra.sql ra_migrations)
