# SPDX-License-Identifier: GPL-2.0-only
"""Mails of a set, and the round trip through a maintainer's tools."""
