/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - the commands of nfpki-audit: each gives the exit status. */
#pragma once

int check_run(int argc, char **argv);
int check_proof_run(int argc, char **argv);
int evidence_run(int argc, char **argv);
int fetch_run(int argc, char **argv);
int lint_run(int argc, char **argv);
int explain_run(int argc, char **argv);
int list_run(int argc, char **argv);
int mirror_command_run(int argc, char **argv);
int prove_run(int argc, char **argv);
int sql_run(int argc, char **argv);
int report_run(int argc, char **argv);
int sample_run(int argc, char **argv);
int serve_command_run(int argc, char **argv);
int show_run(int argc, char **argv);
int verify_run(int argc, char **argv);
int witness_key_run(int argc, char **argv);
int witness_run(int argc, char **argv);
