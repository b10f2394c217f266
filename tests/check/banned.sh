#!/usr/bin/env bash
# Functions, words and constructs that our C does without (README of tests/ says why).
set -euo pipefail
bad=0
look() { # look 'reason' REGEX [files...]
  local reason=$1 regex=$2
  shift 2
  local files
  files=$(git ls-files "$@")
  if [[ -n $files ]] && grep -nE "$regex" $files; then
    echo "^ $reason"
    bad=1
  fi
}
product=('base/*.c' 'base/*.h' 'pkcs11/*' 'db/*' 'ca/*' 'ra/*' 'ceremony/*')
look 'unbounded or unsafe string function' \
  '\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|system|popen|alloca)[[:space:]]*\(' '*.c' '*.h'
look 'jumps are done with scopes (CLEANUP)' '^[[:space:]]*goto[[:space:]]' '*.c' '*.h'
look 'the clock is read in base/ossl.c only' '(^|[^_[:alnum:]])time[[:space:]]*\((NULL|0|&)' \
  'base/[a-np-z]*.c' 'pkcs11/*.c' 'db/*.c' 'ca/**/*.c' 'ca/*.c' 'ra/*.c' 'ceremony/*.c'
look 'secrets are compared with span_equal_secret()' \
  'memcmp[[:space:]]*\([^)]*(secret|mac|pin)[^)]*\)' "${product[@]}"
look 'unfinished work is an issue, not a comment' '\b(TO[D]O|FI[X]ME|X[X]X|HA[C]K)\b' '*.c' '*.h' '*.sh' '*.txt'
look 'line comments are for local scribbles' '^[[:space:]]*//' '*.c' '*.h'
look 'ENGINE and low-level OpenSSL interfaces are not used' '\b(ENGINE_|EC_KEY_|RSA_new|ECDSA_do_)' \
  "${product[@]}"
look 'a pipe is asked by finds (tests/support/finds.sh): who writes it is killed when grep or head ends before its end' \
  '[^|]\|[[:space:]]*(grep[^|]*[[:space:]]-[A-Zchilnorsvwxz]*q|head[[:space:]]+-(n[[:space:]]*)?1([^[:digit:]]|$))' '*.sh'
exit $bad
