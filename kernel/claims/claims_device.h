/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLAIMS_DEVICE_H
#define CLAIMS_DEVICE_H

#include <linux/ioctl.h>

/* End the thread of this open file. */
#define CLAIMS_DEVICE_END	_IO('k', 0)

#endif
