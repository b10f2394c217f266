/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document.h - what `nfpki-cactl sign` signs: documents of a kind that it can show, and no others.
 *
 * The first line of a document names its kind, word for word. A document in JSON begins with the
 * line "{", and its member "kind" names it. A new kind is a row of the table in document.c and a
 * function that reads the document strictly: what is not shown must not be in it. Private to
 * nfpki-cactl.
 */
#pragma once

#include "base/buf.h"

/* As it is shown, in printable ASCII; *question is asked before it is signed, without a "?".
 * ERR_INPUT: no document, of another kind, or not as one of its kind is written. */
char *document_read(struct span text, const char **question, struct err *e) OWNED(mem_free);
