# SPDX-License-Identifier: GPL-2.0-only
"""kernel.org's tarball, where there is no apt."""

from __future__ import annotations

import re
import shutil
import tempfile
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from kdebug.context import Context
from kdebug.host import files, processes, ui
from kdebug.source import debian, trees

KERNEL_ORG = "https://cdn.kernel.org/pub/linux/kernel/"
KERNEL_ORG_KEY = "B8868C80BA62A1FFFAF5FDA9632D3A06589DA6B1"  # checksum autosigner


def _get(context: Context, url: str, start: int = 0) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=30)
    except OSError as err:  # URLError is one
        raise ui.Fail(url, f"cannot be fetched ({err})",
                      f"connect and run again; or {trees.other_source(context)}") from None
    return answer


def _signed(context: Context, sums: Path) -> str:
    """How far the signature on kernel.org's list of checksums was checked."""
    if not shutil.which("gpg"):
        return "signature not checked: no gpg"
    with tempfile.TemporaryDirectory() as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--no-tty"]
        processes.run([[*gpg, "--auto-key-locate", "clear,wkd", "--locate-keys", "autosigner@kernel.org"]])
        _, out, _ = processes.run([[*gpg, "--status-fd", "1", "--output", "/dev/null", "--verify", str(sums)]])
        if shutil.which("gpgconf"):
            processes.run([["gpgconf", "--homedir", home, "--kill", "all"]])
    if "BADSIG" in out:
        raise ui.Fail(sums.name, "its signature is wrong: altered on the way",
                      f"run again; or {trees.other_source(context)}")
    return "signature good" if f"VALIDSIG {KERNEL_ORG_KEY}" in out else "signature not checked: no key"


def fetch(context: Context) -> Path:
    """Fetch the newest tarball of the base; its path."""
    site = f"{KERNEL_ORG}v{context.base.partition('.')[0]}.x/"
    context.download.mkdir(parents=True, exist_ok=True)
    with ui.phase("fetch", f"Linux {context.base} from kernel.org") as phase:
        sums = context.download / "sha256sums.asc"
        with _get(context, site + sums.name) as answer:
            files.write_atomic(sums, answer.read())
        found = re.findall(rf"^([0-9a-f]{{64}})  (linux-{re.escape(context.base)}(?:\.(\d+))?\.tar\.xz)$",
                           sums.read_text(encoding="utf-8", errors="replace"), re.M)
        if not found:
            raise ui.Fail(site, f"no tarball of Linux {context.base}", trees.other_source(context))
        # bases/ may fit no other release of that Linux than the one that it was made for.
        made_for = debian.POOL[context.base][0].split("_")[1].partition("-")[0] if context.base in debian.POOL else ""
        found = [row for row in found if row[1] == f"linux-{made_for}.tar.xz"] or found
        sha256: str
        file: str
        sha256, file, _ = max(found, key=lambda row: int(row[2] or 0))
        phase.note(f"{sums.name}: {_signed(context, sums)}")
        path, part = context.download / file, context.download / f"{file}.part"
        start = files.size_of(part)
        with _get(context, site + file, start) as answer, open(part, "ab") as out:
            if start and answer.status != 206:
                out.truncate(start := 0)
            size = start + int(answer.headers.get("Content-Length") or 0)
            files.need_space(context.download, size - start)
            try:
                while chunk := answer.read(1 << 18):
                    out.write(chunk)
                    phase.live(f"{files.megabytes(out.tell())} of {files.megabytes(size)}")
            except (OSError, HTTPException) as err:
                raise ui.Fail(file, f"the download was cut short ({err})",
                              "run again, it goes on where it stopped") from None
        have = part.stat().st_size
        if have < size:
            raise ui.Fail(file, f"the download was cut short ({have} of {size} bytes)",
                          "run again, it goes on where it stopped")
        if files.sha256_of(part) != sha256:
            part.unlink()
            raise ui.Fail(file, "altered (not the published SHA-256)", f"run again; or {trees.other_source(context)}")
        name = file.removesuffix(".tar.xz")
        files.save_json(path.with_name(file + ".json"), {
            "size": have, "sha256": sha256, "origin": f"{file} from kernel.org", "name": name})
        part.rename(path)
        phase.result = f"{file}, {files.megabytes(have)}"
    return path
