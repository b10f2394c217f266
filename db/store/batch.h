/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch.h - many jobs in one operation of the store (store.h), each of them whole or not at all.
 *
 *   static int
 *   batch_run(struct store_op *op, struct store_db *db, struct err *e)
 *   {
 *       struct crew *crew = CONTAINER_OF(op, struct crew, op);
 *
 *       for (struct job *job = crew->first; job != NULL; job = job->next) {
 *           job->result = store_part(db, job_run, job, &job->e);
 *       }
 *       return 0;    whatever became of one, the others are kept
 *   }
 */
#pragma once

#include "db/store/store.h"

/* Inside the `run` of an operation: what `run` does is undone when it gives -1, and nothing else
 * is. Parts do not nest. Its result; when the database itself failed, the group of the operation
 * fails, too, as that of store.h does. */
int store_part(struct store_db *, int (*run)(void *arg, struct store_db *, struct err *), void *arg,
               struct err *e);

/* `run` in a transaction, or a part of one, that is rolled back whatever it returns. It may write:
 * in admit (store.h) neither the file nor its WAL gets any of it. For what is small: the pages stay
 * in memory. */
int store_try(struct store_db *, int (*run)(void *arg, struct store_db *, struct err *), void *arg,
              struct err *e);
