# SPDX-License-Identifier: GPL-2.0-only
"""make models: what Spin and herd7 say of the models in models/, and their negative controls."""
