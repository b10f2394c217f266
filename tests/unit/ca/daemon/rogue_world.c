/* SPDX-License-Identifier: Apache-2.0 */
/* The network functions of rogue.h, and what they have from before. */
#include <stdio.h>

#include "tests/unit/ca/daemon/rogue.h"

enum { HOUR = 3600 };

static void
certified(struct world *w, struct rogue_nf *n, const char *name)
{
    n->nf.key = pki_key("P-256");
    n->device = world_vendor(w->vendor, w->vendor_key, n->nf.key, name);
}

/* Registered by what it has. */
static void
enlist(struct world *w, struct rogue_nf *n, struct lie_terms terms, char *proof)
{
    EVP_PKEY *key = n->nf.key;

    terms.proof = proof;
    n->nf = lie_nf(w, &terms);
    n->may = terms.certificates != 0 ? terms.certificates : 1;
    if (key != NULL) {
        EVP_PKEY_free(n->nf.key);
        n->nf.key = key;
        n->nf.client.key = key;
    }
    mem_free(proof);
}

static void
make_groups(struct rogue *r)
{
    const struct lie_terms usual = {0};

    for (size_t i = 0; i < ROGUE_GROUP; i++) {
        CLEANUP(mem_cleanup) char *pinned = mem_printf("pinned %zu", i);
        CLEANUP(mem_cleanup) char *vendor = mem_printf("vendor %zu", i);
        CLEANUP(mem_cleanup) char *key = mem_printf("key %zu", i);

        certified(r->w, &r->certificates[i], pinned);
        enlist(r->w, &r->certificates[i], usual, scene_pins_certificate(r->certificates[i].device));
        certified(r->w, &r->vendors[i], vendor);
        enlist(r->w, &r->vendors[i], usual, scene_of_vendor(r->vendors[i].device));
        certified(r->w, &r->keys[i], key);
        enlist(r->w, &r->keys[i], usual, scene_pins_key(r->keys[i].nf.key));
        enlist(r->w, &r->secrets[i], usual, NULL);
    }
}

/* It signs by its device, and has a certificate that it has not confirmed. */
static void
make_holder(struct rogue *r, struct rogue_nf *n, size_t i)
{
    CLEANUP(mem_cleanup) char *name = mem_printf("holder %zu", i);

    certified(r->w, n, name);
    enlist(r->w, n, (struct lie_terms){0}, scene_pins_certificate(n->device));
    n->nf.certificate = n->device;
    assert_int_equal(X509_up_ref(n->device), 1);
    n->nf.client.certificate = n->device;
    nf_request(r->w, &n->nf);
    n->certificate = nf_enrol(r->w, &n->nf);
    n->got = 1;
}

static void
make_odd_ones(struct rogue *r)
{
    certified(r->w, &r->later, "later");
    enlist(r->w, &r->later, (struct lie_terms){0}, scene_pins_certificate(r->later.device));
    certified(r->w, &r->cancelled, "cancelled");
    enlist(r->w, &r->cancelled, (struct lie_terms){0}, scene_pins_certificate(r->cancelled.device));
    r->cancelled_cms =
        world_cancellation(r->cancelled.nf.id, clock_now(), r->w->registrar, r->w->registrar_key);
    world_cancel(r->w, r->cancelled.nf.id);
    r->cancelled.may = 0;
    certified(r->w, &r->unopened, "unopened");
    enlist(r->w, &r->unopened, (struct lie_terms){.opens_in = 12 * HOUR},
           scene_pins_certificate(r->unopened.device));
    r->unopened.may = 0;
    r->later.may = 0;
    enlist(r->w, &r->busy, (struct lie_terms){.certificates = 2}, NULL);
    nf_request(r->w, &r->busy.nf);
    X509_free(nf_enrol(r->w, &r->busy.nf));
    r->busy.may = 1; /* nothing more than that by what is handed in here */
    r->busy.got = 1;
}

int
rogue_setup(void **state)
{
    struct rogue *r = mem_zalloc(1, sizeof(*r));

    (void)world_setup(state);
    r->w = *state;
    world_restart(r->w, "renewal_window = 0\nconfirm_wait = 86400\n");
    r->begun = clock_now();
    r->stranger = pki_key("P-256");
    make_groups(r);
    for (size_t i = 0; i < ROGUE_GROUP; i++) {
        make_holder(r, &r->holders[i], i);
    }
    make_odd_ones(r);
    *state = r;
    return 0;
}

static void
free_nf(struct rogue_nf *n)
{
    nf_free(&n->nf);
    X509_free(n->device);
    X509_free(n->certificate);
}

int
rogue_teardown(void **state)
{
    struct rogue *r = *state;
    void *world = r->w;

    for (size_t i = 0; i < ROGUE_GROUP; i++) {
        free_nf(&r->certificates[i]);
        free_nf(&r->vendors[i]);
        free_nf(&r->keys[i]);
        free_nf(&r->secrets[i]);
        free_nf(&r->holders[i]);
    }
    free_nf(&r->later);
    free_nf(&r->cancelled);
    free_nf(&r->unopened);
    free_nf(&r->busy);
    buf_free(&r->cancelled_cms);
    for (size_t i = 0; i < ROGUE_KEPT; i++) {
        buf_free(&r->kept[i].message);
        buf_free(&r->kept[i].certificate);
    }
    EVP_PKEY_free(r->stranger);
    mem_free(r);
    return world_teardown(&world);
}
