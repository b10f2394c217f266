/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that frame every ceremony: before the token is touched, and the seal. */
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/file.h"
#include "ceremony/run/run.h"

enum { PROGRAM_MAX = 256 * 1024 * 1024, SMALL_MAX = 64 * 1024 };

static int
file_hash(const char *path, uint8_t out[SHA256_SIZE], struct err *e)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(PROGRAM_MAX);

    return file_read(path, &bytes, e) != 0 ? -1 : sha256(buf_span(&bytes), out, e);
}

/* Names of interfaces that are up, but the loopback. */
static json_t *
networks(void)
{
    json_t *names = json_array();
    struct ifaddrs *all = NULL;
    const char *last = "";

    if (getifaddrs(&all) != 0) {
        (void)json_array_append_new(names, json_string("unknown"));
        return names;
    }
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if ((i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_LOOPBACK) == 0 &&
            strcmp(last, i->ifa_name) != 0) {
            (void)json_array_append_new(names, json_string(i->ifa_name));
            last = i->ifa_name;
        }
    }
    freeifaddrs(all);
    return names;
}

/* /proc/swaps has one line of heading. */
static bool
has_swap(void)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(SMALL_MAX);
    struct err ignored;
    size_t lines = 0;

    if (file_read("/proc/swaps", &text, &ignored) != 0) {
        return true;
    }
    for (size_t i = 0; i < text.n; i++) {
        lines += text.p[i] == '\n';
    }
    return lines > 1;
}

int
run_environment(struct run *r, struct err *e)
{
    struct utsname host = {0};
    uint8_t program[SHA256_SIZE];
    uint8_t module[SHA256_SIZE];
    json_t *network = networks();
    size_t n_networks = json_array_size(network);
    bool swap = has_swap();
    CLEANUP(json_cleanup) json_t *fact = NULL;

    (void)uname(&host);
    if (file_hash("/proc/self/exe", program, e) != 0 ||
        file_hash(r->d->token.module, module, e) != 0) {
        json_decref(network);
        return -1;
    }
    fact = json_pack("{s:s,s:s,s:s,s:s,s:o,s:s,s:s,s:o,s:o,s:b}", "type", "host", "name",
                     host.nodename, "kernel", host.release, "machine", host.machine,
                     "program_sha256", fact_of_hex(span_of(program, sizeof(program))), "module",
                     r->d->token.module, "module_description", module_description(r->module),
                     "module_sha256", fact_of_hex(span_of(module, sizeof(module))), "network",
                     network, "swap", swap ? 1 : 0);
    desk_say(&r->desk, "  %s %s, module %s, %zu networks up, swap %s\n", host.sysname, host.release,
             module_description(r->module), n_networks, swap ? "on" : "off");
    if (run_record(r, json_incref(fact), e) != 0) {
        return -1;
    }
    if (r->rehearsal) {
        return 0;
    }
    if (n_networks > 0 && !r->d->network_accepted) {
        return err_set(e, ERR_DENIED,
                       "a network is up: switch it off (or review network_accepted = true)");
    }
    if (swap && !r->d->swap_accepted) {
        return err_set(e, ERR_DENIED,
                       "swap space is on: run swapoff -a (or review swap_accepted = true)");
    }
    return 0;
}

int
run_people(struct run *r, struct err *e)
{
    for (size_t i = 0; i < r->d->n_people; i++) {
        const struct person *p = &r->d->people[i];
        CLEANUP(mem_cleanup)
        char *question = mem_printf("%s (%s): type '%s' if you are present.", p->name,
                                    person_role_name(p->role), p->id);

        if (run_confirm(r, question, p->id, e) != 0 ||
            run_record(r,
                       json_pack("{s:s,s:s,s:s,s:s}", "type", "person", "id", p->id, "name",
                                 p->name, "role", person_role_name(p->role)),
                       e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
run_clock(struct run *r, struct err *e)
{
    static const char question[] =
        "Witness: the time (UTC) on your own clock, like 2026-11-23T20:00:00Z?";
    char answer[DESK_ANSWER_SIZE];
    char now_text[TIME_TEXT_SIZE];
    time_t witness = 0;
    time_t now;

    if (desk_ask(&r->desk, question, answer, e) != 0) {
        return -1;
    }
    now = clock_now();
    time_format(now, now_text);
    if (!r->rehearsal && time_parse(answer, &witness, e) != 0) {
        return err_wrap(e, "the witness's time");
    }
    r->circumstances.now = now;
    desk_say(&r->desk, "  machine: %s\n", now_text);
    if (run_record(
            r, json_pack("{s:s,s:s,s:s}", "type", "prompt", "question", question, "answer", answer),
            e) != 0 ||
        run_record(r, json_pack("{s:s,s:s}", "type", "clock", "machine", now_text), e) != 0) {
        return -1;
    }
    if (r->rehearsal) {
        return 0;
    }
    if (witness - now > r->d->clock.skew_max || now - witness > r->d->clock.skew_max) {
        return err_set(e, ERR_DENIED, "the clocks differ by more than %d s: set the machine's",
                       r->d->clock.skew_max);
    }
    if (now < r->d->clock.not_before || now > r->d->clock.not_after) {
        return err_set(e, ERR_DENIED, "%s is outside the definition's clock window", now_text);
    }
    return 0;
}

int
run_definition(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *word = plan_word_definition(r->d);

    desk_say(&r->desk, "  %s: %s, %s\n", r->d->id, ceremony_type_name(r->d->type), r->d->cps);
    if (run_confirm(r,
                    "Witness: the last 16 hex digits of the definition's SHA-256, as the approved "
                    "paper says?",
                    word, e) != 0) {
        return -1;
    }
    return run_record(r,
                      json_pack("{s:s,s:o}", "type", "definition", "sha256",
                                fact_of_hex(span_of(r->d->hash, SHA256_SIZE))),
                      e);
}

/* The bundle was verified before anything else began; here it becomes part of the record. */
int
run_previous(struct run *r, struct err *e)
{
    json_t *head =
        r->prev == NULL ? json_string("none") : fact_of_hex(span_of(r->prev->head, SHA256_SIZE));

    desk_say(&r->desk, "  %s\n", r->prev == NULL ? "none: a line begins here" : r->d->prev);
    return run_record(r,
                      json_pack("{s:s,s:o,s:o}", "type", "previous", "head", head, "state",
                                state_format(&r->state)),
                      e);
}

/* What the daemons' and the signers' configuration needs of this ceremony. */
static int
write_public_files(struct run *r, struct err *e)
{
    CLEANUP(mem_cleanup) char *serial_file = mem_printf("%s.serial", r->d->token.label);
    CLEANUP(mem_cleanup) char *serial = mem_printf("%s\n", r->serial);
    CLEANUP(buf_free) struct buf root = BUF_INIT(TBS_MAX);

    for (size_t i = 0; i < r->d->n_keys; i++) {
        const char *label = r->d->keys[i].label;
        CLEANUP(mem_cleanup) char *spki_file = mem_printf("%s.spki.pem", label);
        CLEANUP(mem_cleanup) char *id_file = mem_printf("%s.id", label);
        CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(r->keys[i].id, KEY_ID_SIZE));
        CLEANUP(mem_cleanup) char *id = mem_printf("%s\n", hex);

        if (run_artifact(r, spki_file, "PUBLIC KEY", buf_span(&r->keys[i].spki), e) != 0 ||
            run_artifact(r, id_file, "TEXT", span_str(id), e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < r->d->n_secrets; i++) {
        CLEANUP(mem_cleanup) char *id_file = mem_printf("%s.id", r->d->secrets[i].label);
        CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(r->secrets[i], KEY_ID_SIZE));
        CLEANUP(mem_cleanup) char *id = mem_printf("%s\n", hex);

        if (run_artifact(r, id_file, "TEXT", span_str(id), e) != 0) {
            return -1;
        }
    }
    if (run_artifact(r, serial_file, "TEXT", span_str(serial), e) != 0) {
        return -1;
    }
    if (!definition_uses_root(r->d)) {
        return 0;
    }
    return OSSL_ENCODE(X509, r->state.root, &root, e) != 0
               ? -1
               : run_artifact(r, "root.cert.pem", "CERTIFICATE", buf_span(&root), e);
}

int
run_seal(struct run *r, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(SMALL_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/" BUNDLE_HEAD, r->d->output);
    uint8_t head[SHA256_SIZE];

    if (write_public_files(r, e) != 0 ||
        run_record(r, json_pack("{s:s,s:o}", "type", "state", "state", state_format(&r->state)),
                   e) != 0 ||
        run_record(r, json_pack("{s:s,s:O}", "type", "seal", "artifacts", r->artifacts), e) != 0) {
        return -1;
    }
    recorder_head(r->recorder, head);
    if (plan_head_text(r->d, r->rehearsal, r->software, head, r->artifacts, &text, e) != 0 ||
        file_create(path, buf_span(&text), 0644, e) != 0 || file_sync_dir(r->d->output, e) != 0) {
        return -1;
    }
    desk_say(&r->desk, "\n%.*s\n", (int)text.n, (const char *)text.p);
    return 0;
}
