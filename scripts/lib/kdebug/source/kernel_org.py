# SPDX-License-Identifier: GPL-2.0-only
"""kernel.org's tarball, where there is no apt."""

from __future__ import annotations

import re
import shutil
import tempfile
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from kdebug.host import files, paths, processes, ui
from kdebug.source import debian, trees

KERNEL_ORG = f"https://cdn.kernel.org/pub/linux/kernel/v{trees.WANTED.partition('.')[0]}.x/"
KERNEL_ORG_KEY = "B8868C80BA62A1FFFAF5FDA9632D3A06589DA6B1"  # checksum autosigner


def _get(url: str, start: int = 0) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=30)
    except OSError as err:  # URLError is one
        raise ui.Fail(url, f"cannot be fetched ({err})", f"connect and run again; or {trees.OTHER_SOURCE}") from None
    return answer


def _signed(sums: Path) -> str:
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
        raise ui.Fail(sums.name, "its signature is wrong: altered on the way", f"run again; or {trees.OTHER_SOURCE}")
    return "signature good" if f"VALIDSIG {KERNEL_ORG_KEY}" in out else "signature not checked: no key"


def fetch() -> Path:
    paths.DOWNLOAD.mkdir(parents=True, exist_ok=True)
    with ui.phase("fetch", f"Linux {trees.WANTED} from kernel.org") as phase:
        sums = paths.DOWNLOAD / "sha256sums.asc"
        with _get(KERNEL_ORG + sums.name) as answer:
            files.write_atomic(sums, answer.read())
        found = re.findall(rf"^([0-9a-f]{{64}})  (linux-{re.escape(trees.WANTED)}(?:\.(\d+))?\.tar\.xz)$",
                           sums.read_text(encoding="utf-8", errors="replace"), re.M)
        if not found:
            raise ui.Fail(KERNEL_ORG, f"no tarball of Linux {trees.WANTED}", trees.OTHER_SOURCE)
        # bases/ may fit no other release of that Linux than the one that it was made for.
        made_for = debian.POOL[trees.WANTED][0].split("_")[1].partition("-")[0] if trees.WANTED in debian.POOL else ""
        found = [row for row in found if row[1] == f"linux-{made_for}.tar.xz"] or found
        sha256: str
        file: str
        sha256, file, _ = max(found, key=lambda row: int(row[2] or 0))
        phase.note(f"{sums.name}: {_signed(sums)}")
        path, part = paths.DOWNLOAD / file, paths.DOWNLOAD / f"{file}.part"
        start = files.size_of(part)
        with _get(KERNEL_ORG + file, start) as answer, open(part, "ab") as out:
            if start and answer.status != 206:
                out.truncate(start := 0)
            size = start + int(answer.headers.get("Content-Length") or 0)
            files.need_space(paths.DOWNLOAD, size - start)
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
            raise ui.Fail(file, "altered (not the published SHA-256)", f"run again; or {trees.OTHER_SOURCE}")
        name = file.removesuffix(".tar.xz")
        files.save_json(path.with_name(file + ".json"), {
            "size": have, "sha256": sha256, "origin": f"{file} from kernel.org", "name": name})
        part.rename(path)
        phase.result = f"{file}, {files.megabytes(have)}"
    return path
