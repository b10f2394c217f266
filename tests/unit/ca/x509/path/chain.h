/* SPDX-License-Identifier: Apache-2.0 */
/* chain.h - a vendor's root and a CA below it, and certificates that are good but for one thing. */
#pragma once

#include "ca/x509/path/path.h"
#include "tests/support/forge.h"

/* When paths are judged. */
enum { AT = 1790000000, DAY = 24 * 60 * 60 };

/* For cmocka: makes and drops them; a leaf key is ready, too. */
int chain_make(void **state);
int chain_drop(void **state);
extern EVP_PKEY *chain_root_key;
extern EVP_PKEY *chain_ca_key;
extern EVP_PKEY *chain_leaf_key;
extern X509 *chain_root;
extern X509 *chain_ca;

/* What is valid around AT. */
struct forge chain_recipe(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key);
/* The root is the one anchor, `middle` comes with the leaf. */
enum path_verdict chain_judge(X509 *leaf, X509 *middle, struct err *e);
/* Fails the test unless it is judged so; NULL: it is good. */
void chain_wanted(const char *what, X509 *leaf, X509 *middle, const char *why);
