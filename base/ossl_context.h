/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ossl_context.h - a library context for a thread that works, of its own since OpenSSL's shared one
 * does not scale over threads, and in which certificates are decoded fast.
 *
 * OpenSSL 3.0 sets up all key kinds and all decoders of a context for the key of each certificate
 * that it decodes. There are 5 and 5 in this one instead of 18 and 40: public keys that
 * certificates have here, in DER. The algorithms are OpenSSL's own, of its default provider; all
 * but these two lists are as they are there. No private key is decoded in it, no key of another
 * kind is known.
 */
#pragma once

/* Aborts when memory is short. Free it when no object made in it is left. */
struct ossl_context;
struct ossl_context *ossl_context_new(void) __attribute__((warn_unused_result));
void ossl_context_free(struct ossl_context *);

/* The calling thread's default from now on. */
void ossl_context_enter(const struct ossl_context *);
/* The last that the thread does: releases its random generators, which hang on the secure heap. */
void ossl_context_leave(const struct ossl_context *);
