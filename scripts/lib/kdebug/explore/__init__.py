# SPDX-License-Identifier: GPL-2.0-only
<<<<<<< HEAD
"""What is built: configuration, kernel, modules, guest programs, root file system."""
=======
"""make explore: each creation of a thread in a scenario, broken in turn, and what comes of it."""
>>>>>>> bfd626b6b2e84f04f53240116b8338b5bb519565
