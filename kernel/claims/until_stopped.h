/* SPDX-License-Identifier: GPL-2.0-only */
/* What both modules let a thread do. */
#ifndef CLAIMS_UNTIL_STOPPED_H
#define CLAIMS_UNTIL_STOPPED_H

#include <linux/kthread.h>
#include <linux/sched.h>

/* Sleep until kthread_stop(). In TASK_IDLE khungtaskd does not report it. */
static inline void sleep_until_stopped(void)
{
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
}

#endif
