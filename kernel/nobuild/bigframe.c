// SPDX-License-Identifier: GPL-2.0-only
/* 64 KiB to work on: on the stack, where it has no place, or from the heap. */
#include <linux/compiler.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

static int __init bigframe_init(void)
{
#ifdef ON_STACK
	char block[SZ_64K];
#else
	char *block __free(kfree) = kmalloc(SZ_64K, GFP_KERNEL);

	if (!block)
		return -ENOMEM;
#endif
	memset(block, 1, SZ_64K);
	barrier_data(block);
	return 0;
}
module_init(bigframe_init);

MODULE_DESCRIPTION("A large block, on the stack or from the heap");
MODULE_LICENSE("GPL");
