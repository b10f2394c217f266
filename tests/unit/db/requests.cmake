# SPDX-License-Identifier: Apache-2.0
nfpki_test(unit/db/requests LINK requests)
nfpki_test(unit/db/requests_certificates LINK requests)
