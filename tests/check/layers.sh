#!/usr/bin/env bash
# Include arrows point down only: base <- pkcs11, db <- ca <- ra; ceremony -> pkcs11, ca/x509; the CA's office -> ceremony/bundle;
# the auditor's program -> db. Programs never include another program's files.
set -efuo pipefail

# folder -> what its files may include: "folder/" stands for the files in it and not for those below, anything else is
# a pattern. All of tests/ is one folder.
rules='
base/                base/
base/tlog/           base/ base/tlog/
base/http/message/   base/ base/http/message/
base/http/           base/ base/http/*
pkcs11/client/       base/ pkcs11/algorithm.h pkcs11/client/
pkcs11/signer/journal/ base/ pkcs11/client/attempted.h pkcs11/signer/journal/
pkcs11/signer/       base/ base/tlog/ pkcs11/algorithm.h pkcs11/client/attempted.h pkcs11/client/client.h pkcs11/client/evidence.h pkcs11/signer/*
pkcs11/service/      base/ pkcs11/ pkcs11/client/ pkcs11/signer/* pkcs11/service/
pkcs11/              base/ pkcs11/*
db/pages/            base/ db/pages/
db/store/            base/ db/pages/pages.h db/store/
db/ledger/           base/ base/tlog/ db/store/ db/ledger/
db/requests/         base/ base/tlog/ db/store/ db/requests/
db/issuance/         base/ base/tlog/ db/store/ db/ledger/ db/issuance/
db/issuance/life/    base/ db/store/ db/ledger/ db/issuance/ db/issuance/life/
db/issuance/rebuild/ base/ db/store/ db/ledger/ db/issuance/ db/issuance/rebuild/
db/audit/der/        base/ db/ledger/ db/audit/der/
db/audit/query/      base/ db/audit/out/ db/audit/query/
db/audit/rules/      base/ base/tlog/ db/ledger/ db/audit/der/ db/audit/rules/
db/audit/out/        base/ db/audit/out/
db/audit/message/    base/ db/audit/der/ db/audit/message/
db/audit/story/      base/ base/tlog/ db/ledger/ db/audit/ db/audit/der/ db/audit/message/ db/audit/mirror/ db/audit/out/ db/audit/query/ db/audit/rules/ db/audit/story/
db/audit/evidence/   base/ base/tlog/ db/audit/out/ db/audit/query/ db/audit/evidence/
db/audit/lint/       base/ db/ledger/ db/audit/der/ db/audit/rules/ db/audit/out/ db/audit/lint/
db/audit/check/      base/ base/tlog/ db/ledger/ db/audit/der/ db/audit/lint/ db/audit/out/ db/audit/check/
db/audit/mirror/     base/ base/tlog/ db/store/store.h db/ledger/ db/audit/ db/audit/der/ db/audit/lint/findings.h db/audit/rules/ db/audit/mirror/
db/audit/report/     base/ base/tlog/ db/audit/lint/findings.h db/audit/mirror/mirror.h db/audit/out/ db/audit/query/cells.h db/audit/report/
db/audit/serve/      base/ base/tlog/ base/http/* db/ledger/ db/audit/ db/audit/der/ db/audit/mirror/ db/audit/out/ db/audit/query/ db/audit/report/ db/audit/rules/ db/audit/story/ db/audit/witness/ db/audit/serve/
db/audit/fetch/      base/ base/tlog/ db/ledger/messages.h db/audit/ db/audit/fetch/
db/audit/witness/    base/ base/tlog/ db/audit/witness/
db/audit/            base/ base/tlog/ db/ledger/ db/audit/ db/audit/der/ db/audit/out/ db/audit/rules/ db/audit/witness/
db/audit/command/    base/ base/tlog/ db/ledger/ db/audit/ db/audit/check/ db/audit/der/ db/audit/fetch/ db/audit/evidence/ db/audit/lint/ db/audit/mirror/ db/audit/out/ db/audit/query/ db/audit/report/ db/audit/serve/ db/audit/story/ db/audit/witness/ db/audit/command/
db/                  base/ db/ledger/ db/audit/*
ca/x509/             base/ ca/x509/
ca/x509/profile/     base/ ca/x509/ ca/x509/profile/
ca/x509/tbs/         base/ ca/x509/ ca/x509/profile/ ca/x509/tbs/
ca/x509/lint/        base/ ca/x509/ ca/x509/profile/ ca/x509/tbs/ ca/x509/lint/
ca/x509/path/        base/ ca/x509/ ca/x509/path/
ca/cmp/message/      base/ ca/x509/ ca/x509/profile/ ca/cmp/message/
ca/cmp/protection/   base/ ca/x509/ ca/cmp/message/ ca/cmp/protection/
ca/cmp/              base/ base/tlog/ ca/x509/ ca/cmp/message/ ca/cmp/protection/ ca/cmp/
ca/registration/     base/ base/tlog/ ca/x509/* ca/registration/
ca/trust/            base/ ca/x509/* ca/cmp/* ca/trust/
ca/link/             base/ ca/link/
ca/policy/           base/ db/issuance/* db/ledger/ ca/x509/* ca/cmp/* ca/registration/ ca/trust/ ca/policy/
ca/daemon/           base/ base/tlog/ pkcs11/client/pool.h db/store/schema.h db/issuance/ db/ledger/ ca/x509/* ca/cmp/* ca/trust/ ca/link/ ca/policy/ ca/daemon/
ca/journals/         base/ base/tlog/ pkcs11/client/attempted.h pkcs11/client/evidence.h db/store/batch.h db/issuance/ ca/daemon/ ca/journals/
ca/publish/          base/ pkcs11/client/evidence.h db/issuance/ db/ledger/ ca/x509/* ca/policy/ ca/daemon/ ca/publish/
ca/request/kind/     base/ db/issuance/ ca/x509/* ca/cmp/* ca/policy/ ca/daemon/ ca/publish/ ca/request/kind/
ca/request/          base/ pkcs11/client/evidence.h db/issuance/ ca/x509/* ca/cmp/* ca/policy/ ca/daemon/ ca/publish/ ca/request/*
ca/due/              base/ db/issuance/* ca/daemon/ ca/publish/ ca/request/* ca/due/
ca/office/           base/ db/issuance/* db/ledger/witnesses.h ca/x509/* ca/cmp/report.h ca/registration/ ca/policy/ ca/daemon/ ca/journals/ ca/publish/ ca/request/* ca/due/ ceremony/bundle/bundle.h ca/office/
ca/restore/          base/ base/tlog/ db/issuance/* db/ledger/ ca/x509/* ca/registration/ ca/trust/ ca/policy/ ca/daemon/ ca/restore/
ca/acknowledge/      base/ pkcs11/client/client.h db/issuance/ db/ledger/ ca/x509/* ca/registration/ ca/daemon/ ca/journals/ ca/restore/approvals.h ca/acknowledge/
ca/cactl/            base/ ca/x509/* ca/registration/ ca/link/ ca/cactl/
ca/                  base/ ca/*
ra/daemon/           base/ pkcs11/client/pool.h ca/x509/* ca/cmp/* ca/trust/ base/http/* ra/daemon/
ra/secret/           base/ pkcs11/client/pool.h db/store/store.h db/requests/ ca/cmp/* base/http/* ra/daemon/ ra/secret/
ra/queue/            base/ base/tlog/ pkcs11/client/pool.h db/store/batch.h db/requests/ ca/x509/* ca/cmp/* ca/link/ ra/daemon/ ra/secret/ ra/queue/
ra/report/           base/ base/tlog/ ca/cmp/* ca/link/ ra/daemon/ ra/queue/ ra/report/
ra/judge/            base/ pkcs11/client/client.h db/requests/ ca/x509/* ca/cmp/* ca/registration/ ca/trust/ base/http/* ra/daemon/ ra/secret/ ra/queue/ ra/judge/
ra/judge/message/    base/ pkcs11/client/client.h db/requests/ ca/x509/* ca/cmp/* ca/registration/ ca/trust/ base/http/* ra/daemon/ ra/secret/ ra/queue/ ra/judge/ ra/judge/message/
ra/transaction/      base/ db/store/ ca/cmp/* base/http/* ra/daemon/ ra/secret/ ra/queue/ ra/report/ ra/judge/* ra/transaction/
ra/admin/            base/ db/requests/ ca/x509/* ca/cmp/* ca/registration/ ca/link/ base/http/* ra/daemon/ ra/secret/ ra/queue/ ra/report/ ra/admin/
ra/front/            base/ base/http/* ra/daemon/ ra/transaction/ ra/admin/ ra/front/
ra/bundle/           base/ ca/x509/* ra/bundle/
ra/ractl/            base/ ca/x509/* ca/registration/ ca/link/ ra/bundle/ ra/ractl/
ra/                  base/ pkcs11/client/pool.h db/store/schema.h db/requests/ ca/x509/* ca/registration/ ca/link/ ra/*
ceremony/definition/ base/ ca/x509/* ceremony/definition/
ceremony/transcript/ base/ ca/x509/* ceremony/definition/ ceremony/transcript/
ceremony/bundle/     base/ ca/x509/* ceremony/definition/ ceremony/transcript/ ceremony/bundle/
ceremony/run/        base/ pkcs11/ ca/x509/* ceremony/definition/ ceremony/transcript/ ceremony/bundle/ ceremony/run/
ceremony/            base/ ceremony/bundle/ ceremony/run/
tests/               base/* pkcs11/* db/* ca/* ra/* ceremony/* tests/*
'
declare -A may
while read -r folder targets; do
  [[ -z $folder ]] || may[$folder]=$targets
done <<<"$rules"
bad=0
while IFS=: read -r file line text; do
  included=${text#*\"}
  included=${included%%\"*}
  folder=${file%/*}/
  [[ $folder == tests/* ]] && folder=tests/
  ok=no
  for target in ${may[$folder]-}; do
    [[ ${included%/*}/ == "$target" || $included == $target ]] && ok=yes
  done
  if [[ $ok == no || $included != */* ]]; then
    echo "$file:$line: $folder must not include \"$included\""
    bad=1
  fi
done < <(git ls-files '*.c' '*.h' | xargs grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"')
exit $bad
