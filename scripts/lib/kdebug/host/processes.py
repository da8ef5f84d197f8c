# SPDX-License-Identifier: GPL-2.0-only
"""Programs that this one starts: pipelines, their environment, and their end."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from kdebug.host import files, ui

_LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


def die_with_parent(signum: int = signal.SIGKILL) -> Callable[[], None]:
    """A preexec_fn for a child that shall get @signum when this process ends, even by a kill.

    The signal follows the end of the thread that starts the child, so start it in
    one that lives as long as the child does.
    """
    parent = os.getpid()

    def tie() -> None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signum)
        if os.getppid() != parent:  # it has ended before the prctl
            os._exit(1)

    return tie


def clean_env(**extra: str) -> dict[str, str]:
    """The environment without what changes git's behaviour."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("GIT_", "QUILT_", "LC_")) and k not in (
               "LANG", "LANGUAGE", "POSIXLY_CORRECT", "GREP_OPTIONS", "TAR_OPTIONS", "XZ_OPT",
               "XZ_DEFAULTS", "PATCH_GET", "PATCH_VERSION_CONTROL", "VERSION_CONTROL")}
    return env | {"LC_ALL": "C"} | extra


def run(chain: Sequence[Sequence[str]], *, cwd: Path | None = None,
        env: dict[str, str] | None = None, stdin: bytes | None = None,
        poll: Callable[[int], None] | None = None, tie: bool = True,
        disk: Path | None = None) -> tuple[int, str, str]:
    """Run the pipeline @chain; return (worst status, last stdout, all stderr).

    With @tie the children die with this process: a killed run must not leave a
    cp behind that goes on writing while the next run cleans up.  It triples
    what it costs to start one.  @poll is called with the number of lines of
    output so far, instead of keeping them.  @disk is where it writes, for the error when
    that is full, if not in @cwd.
    """
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as feed:
        feed.write(stdin or b"")
        feed.seek(0)
        children: list[subprocess.Popen[bytes]] = []
        for command in chain:
            source = children[-1].stdout if children else feed
            try:
                children.append(subprocess.Popen(
                    command, cwd=cwd, env=env or clean_env(), stdin=source,
                    stdout=subprocess.PIPE, stderr=errors,
                    preexec_fn=die_with_parent() if tie else None))
            except FileNotFoundError:
                for child in children:
                    child.kill()
                    child.wait()
                raise ui.Fail(command[0], "not installed", "run: make deps") from None
            if children[:-1]:
                assert children[-2].stdout
                children[-2].stdout.close()
        last = children[-1].stdout
        assert last
        out, lines = b"", 0
        try:
            if poll is None:
                out = last.read()
            else:
                while chunk := os.read(last.fileno(), 1 << 16):
                    lines += chunk.count(b"\n")
                    poll(lines)
        except BaseException:
            for child in children:
                child.kill()
            raise
        finally:
            last.close()
            status = max(abs(child.wait()) for child in children)
        errors.seek(0)
        err = errors.read().decode(errors="replace")
        if status and "No space left on device" in err:
            raise files.no_space(disk or cwd or Path.cwd())
        return status, out.decode(errors="surrogateescape"), err


def first_line(text: str) -> str:
    """The line of an error output that says most: the first that is one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for mark in ("(E|fatal|error): ", ".*: ") for line in lines if re.match(mark, line)),
                lines[0] if lines else "no message")
