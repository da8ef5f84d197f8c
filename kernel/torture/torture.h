/* SPDX-License-Identifier: GPL-2.0-only */
/* What torture_gone needs of torture: creations that are counted. */
#ifndef TORTURE_H
#define TORTURE_H

struct task_struct;

struct task_struct *torture_begin(int (*threadfn)(void *data), const char *name);
void torture_end(struct task_struct *task);

#endif
