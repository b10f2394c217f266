/* SPDX-License-Identifier: Apache-2.0 */
/* history FOLDER: the story of history_tell() as a ledger in a new FOLDER, beside it
 * FOLDER.issuing.pem, FOLDER.crl and FOLDER.told, which says what is known of it, a name and a
 * value in each line. */
#include <openssl/pem.h>
#include <stdio.h>

#include "base/file.h"
#include "tests/support/history/history.h"
#include "tests/support/test.h"

static void
say(FILE *f, const struct history_told *t)
{
    const struct {
        const char *name;
        const struct history_nf *nf;
    } nfs[] = {
        {"used", t->used},
        {"hostile_nf", t->hostile_nf},
        {"never_confirmed", t->never_confirmed},
        {"rejected", t->rejected},
        {"unused", t->unused},
        {"revoked", t->revoked},
        {"waiting", t->waiting},
        {"refused", t->refused_nf},
        {"approved", t->approved},
        {"greedy", t->greedy},
    };
    char as_of[TIME_TEXT_SIZE];

    time_format(t->as_of, as_of);
    (void)fprintf(f, "as_of %s\nsize %d\n", as_of, (int)t->size);
    for (size_t i = 0; i < ARRAY_LEN(nfs); i++) {
        (void)fprintf(f, "%s.nf %s\n%s.registration %s\n", nfs[i].name,
                      nfs[i].nf->identity.instance_id, nfs[i].name, nfs[i].nf->registration);
        if (nfs[i].nf->serial[0] != '\0') {
            (void)fprintf(f, "%s.serial %s\n", nfs[i].name, nfs[i].nf->serial);
        }
        if (nfs[i].nf->rid[0] != '\0') {
            (void)fprintf(f, "%s.rid %s\n", nfs[i].name, nfs[i].nf->rid);
        }
    }
    (void)fprintf(f, "ada %s\nboris %s\ncarla %s\nnorth %s\nhostile %s\nra %s\nsecond_ra %s\n",
                  t->ada->serial, t->boris->serial, t->carla->serial, t->north->serial,
                  t->hostile->serial, t->ra->serial, t->second_ra->serial);
    (void)fprintf(f, "superseded_too %s\nrejected_first %s\nadopted %s\n", t->superseded_too,
                  t->rejected_first, t->adopted);
    (void)fprintf(f, "open %s\ncompromised %s\nsuperseded %s\nshared %s\nshared_too %s\n", t->open,
                  t->compromised, t->superseded, t->shared[0], t->shared[1]);
}

static FILE *
beside(const char *folder, const char *suffix)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s%s", folder, suffix);
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    return f;
}

int
main(int argc, char **argv)
{
    enum { BEGIN = 1768204800 }; /* 2026-01-12T08:00:00Z */
    CLEANUP(history_end) struct history h;
    struct history_told told;
    FILE *f;

    if (argc != 2) {
        (void)fprintf(stderr, "usage: history FOLDER\n");
        return 2;
    }
    history_begin(&h, BEGIN);
    history_tell(&h, &told);
    f = beside(argv[1], ".issuing.pem");
    assert_int_equal(PEM_write_X509(f, h.pki->issuing), 1);
    assert_int_equal(fclose(f), 0);
    f = beside(argv[1], ".crl");
    assert_int_equal(fwrite(h.crl.p, 1, h.crl.n, f), h.crl.n);
    assert_int_equal(fclose(f), 0);
    f = beside(argv[1], ".told");
    say(f, &told);
    assert_int_equal(fclose(f), 0);
    if (rename(h.l.dir, argv[1]) != 0) {
        perror(argv[1]);
        return 1;
    }
    return 0;
}
