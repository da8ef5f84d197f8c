# SPDX-License-Identifier: GPL-2.0-only
"""Host side of kthread-debug: fetch, apply, build, boot and judge a kernel."""
