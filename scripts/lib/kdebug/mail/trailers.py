# SPDX-License-Identifier: GPL-2.0-only
"""make trailers: put what reviewers answered into the patches that they answered to.

The rules are those of b4: a trailer belongs to the patch that the mail answers,
directly or over other answers, or to all patches of a set if that is the cover letter;
and its name or its address has to be that of the mail's sender. b4 itself only changes
commits. It is silent about an answer whose patch is not in the mailbox; here the
answer's own subject then tells the patch.
"""

from __future__ import annotations

import email
import email.header
import email.utils
import mailbox
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

from kdebug.host import files, processes, ui
from kdebug.patches import series

# b4 takes any line that names a person. Of a sign-off the sender has to think.
TAKEN = ("Reviewed-by", "Acked-by", "Tested-by", "Reported-by")
_LINE = re.compile(r"^[ \t]*([A-Za-z][A-Za-z-]*-by):[ \t]+(\S.*)$", re.M | re.I)
# The address on a line of its own.
_WRAPPED = re.compile(r"^([ \t]*[A-Za-z-]+-by:[ \t]+[^<\n]+)\n[ \t]*(<[^<>\n]+>)", re.M | re.I)
_PERSON = re.compile(r"(.+?)\s*<([^<>\s@]+@[^<>\s@]+)>(?:\s+(#.*))?")
_PATCH = re.compile(r"\[[^]]*\bPATCH\b[^]]*\]", re.I)
_ANSWER = re.compile(r"(?:(?:re|aw|fwd):\s*)+", re.I)
_COUNT = re.compile(r"\b(\d+)/(\d+)\b")
# As git mailsplit has it: more than the word, which any sentence may begin with.
_BEGIN = re.compile(rb"^From (?=\S+ .*\d:\d\d.* \d{4})", re.M)
_MIME = "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"


@dataclass(frozen=True)
class Trailer:
    """A line as "Reviewed-by: Name <address> # note"."""

    key: str
    name: str
    address: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.key}: {self.name} <{self.address}>" + (f" {self.note}" if self.note else "")

    @property
    def same(self) -> tuple[str, str]:
        """What is equal in two trailers of which one is enough."""
        return self.key.lower(), self.address.lower()


@dataclass(frozen=True)
class Mail:
    """What counts of a mail; ids without their brackets."""

    id: str
    parents: tuple[str, ...]  # the nearest first
    subject: str
    name: str
    address: str
    text: str

    @property
    def answer(self) -> bool:
        """It is no patch and no cover letter."""
        return not _PATCH.match(self.subject)


@dataclass
class Found:
    """What a mailbox has for the patches, and what not."""

    trailers: dict[Path, list[Trailer]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)  # a line for each trailer that is not taken, and why


# --- mails

def _decoded(raw: str) -> str:
    """The text of a header, as far as it can be decoded."""
    try:
        return str(email.header.make_header(email.header.decode_header(raw)))
    except (LookupError, ValueError):
        return raw


def _header(message: Message, name: str) -> str:
    """The header @name on one line, as it was sent."""
    return " ".join(str(message.get(name, "")).split())


def _text(message: Message) -> str:
    """The first part of plain text, without the signature."""
    for part in message.walk():
        if part.get_content_type() == "text/plain" and isinstance(raw := part.get_payload(decode=True), bytes):
            try:
                text = raw.decode(part.get_content_charset() or "utf-8", errors="replace")
            except LookupError:
                text = raw.decode(errors="replace")
            return text.replace("\r\n", "\n").partition("\n-- \n")[0]
    return ""


def parsed(raw: bytes) -> Mail:
    """The mail @raw; what it lacks is empty."""
    message = email.message_from_bytes(raw)
    name, address = email.utils.parseaddr(_header(message, "From"))
    ids = [re.findall(r"<([^<>\s]+)>", _header(message, key)) for key in ("Message-Id", "In-Reply-To", "References")]
    return Mail("".join(ids[0][:1]), (*ids[1], *reversed(ids[2])), _decoded(_header(message, "Subject")),
                _decoded(name), address, _text(message))


def read(path: Path) -> list[Mail]:
    """The mails of @path: an mbox, a maildir, or one mail."""
    what, remedy = f"MBOX={path}", "give an mbox, as b4 mbox writes it, a maildir, or a mail"
    try:
        if (path / "cur").is_dir():
            box: mailbox.Mailbox[mailbox.MaildirMessage] | None = mailbox.Maildir(path, create=False)
            raw = [box.get_bytes(key) for key in sorted(box.keys())] if box is not None else []
        else:
            data = path.read_bytes()
            raw = [part.partition(b"\n")[2] for part in _BEGIN.split(data)[1:]] if _BEGIN.match(data) else [data]
    except OSError as err:
        raise ui.Fail(what, err.strerror or str(err), remedy) from None
    mails = [parsed(one) for one in raw]
    if not any(one.subject and one.address for one in mails):
        raise ui.Fail(what, "holds no mail", remedy)
    return mails


def fetch(msgid: str, where: Path) -> Path:
    """The thread of the message @msgid, or of the page of an archive, by b4, as an mbox below @where."""
    try:
        done = subprocess.run(["b4", "mbox", "-o", where, "-n", "thread", msgid], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    except FileNotFoundError:
        raise ui.Fail("b4", "not found", "run: make deps, or give MBOX=") from None
    found = sorted(where.glob("thread*"))
    if done.returncode or not found:
        said = [line for line in done.stdout.splitlines() if line.strip()] or [f"exit {done.returncode}"]
        raise ui.Fail(f"MSGID={msgid}", f"b4 does not get that thread ({said[-1].strip()[:120]})",
                      "see to the network and to the id, or save the thread and give MBOX=")
    return found[0]


# --- which patch

def _plain(subject: str) -> str:
    """A subject without Re: and [PATCH]."""
    return re.sub(r"^(?:\[[^]]*\]\s*)+", "", _ANSWER.sub("", subject, count=1))


def subject(patch: Path) -> str:
    """The subject of the patch or the cover letter @patch."""
    return _plain(_decoded(_header(email.message_from_bytes(patch.read_bytes()), "Subject")))


@dataclass(frozen=True)
class Target:
    """What a mail can answer, and the patches that its trailers are for."""

    subject: str
    count: tuple[str, str]  # of [PATCH 2/3]
    patches: tuple[Path, ...]


def targets(sets: Iterable[series.Set]) -> list[Target]:
    """The patches and cover letters of @sets."""
    found: list[Target] = []
    for one in sets:
        total = str(len(one.patches))
        if one.patches and one.cover.is_file():
            found.append(Target(subject(one.cover), ("0", total), one.patches))
        found += [Target(subject(patch), (str(n), total), (patch,)) for n, patch in enumerate(one.patches, 1)]
    return found


def answered(mail: Mail, mails: Mapping[str, Mail]) -> str:
    """The subject of the patch that @mail answers, directly or over other answers."""
    seen = {mail.id}
    while mail.answer:
        above = next((mails[i] for i in mail.parents if i in mails and i not in seen), None)
        if above is None:
            break
        mail = above
        seen.add(mail.id)
    return mail.subject


def meant(subject: str, among: Sequence[Target]) -> list[Target]:
    """Those of @among that have this @subject; by its number if there are several."""
    bare = _ANSWER.sub("", subject, count=1)
    if not _PATCH.match(bare):
        return []
    found = [one for one in among if one.subject == _plain(subject)]
    count = _COUNT.search(bare.partition("]")[0])
    exact = [one for one in found if count and one.count == (str(int(count[1])), str(int(count[2])))]
    return exact if len(found) > 1 and exact else found


# --- trailers

def given(mail: Mail) -> tuple[list[Trailer], list[tuple[str, str]]]:
    """The trailers that @mail gives, and the lines that are none, each with the reason."""
    taken: list[Trailer] = []
    left: list[tuple[str, str]] = []
    names = {key.lower(): key for key in TAKEN}
    for key, value in _LINE.findall(_WRAPPED.sub(r"\1 \2", mail.text)):
        line, person = f"{key}: {value.strip()}", _PERSON.fullmatch(value.strip())
        if key.lower() not in names:
            left.append((line, f"only {', '.join(TAKEN)} are taken"))
        elif not person or not line.isprintable() or "\ufffd" in line:
            left.append((line, "not of the form Name <address>"))
        elif not _same_person(person[1], person[2], mail):
            left.append((line, f"the mail is from {mail.name} <{mail.address}>"))
        else:
            taken.append(Trailer(names[key.lower()], person[1].strip('"'), person[2], person[3] or ""))
    return taken, left


def _same_person(name: str, address: str, mail: Mail) -> bool:
    """Is the sender of @mail meant, by the name or by the address?"""
    def bare(text: str) -> str:
        return re.sub(r"\+[^@]*@", "@", text.lower())
    return bare(address) == bare(mail.address) or name.strip('"').lower() == mail.name.lower() != ""


def collect(mails: Sequence[Mail], sets: Sequence[series.Set]) -> Found:
    """What the answers among @mails have for the patches of @sets."""
    found, among = Found(), targets(sets)
    by_id = {mail.id: mail for mail in reversed(mails) if mail.id}
    for mail in mails:
        if not mail.answer:
            continue
        taken, left = given(mail)
        here = f"'{mail.subject}' from {mail.address or 'nobody'}"
        found.left += [f"{line}: {why}; in {here}" for line, why in left]
        what = meant(answered(mail, by_id), among) if taken else []
        if taken and len(what) != 1:
            why = "is the subject of several patches, give SET=" if what else "answers no patch of " + (
                sets[0].name if len(sets) == 1 else "patches/")
            found.left += [f"{one}: {here} {why}" for one in taken]
        for patch in what[0].patches if len(what) == 1 else ():
            found.trailers.setdefault(patch, []).extend(taken)
    return found


def added(patch: Path, trailers: Iterable[Trailer]) -> tuple[bytes, list[Trailer]]:
    """The text of @patch with those of @trailers that it does not have yet, and these."""
    text = patch.read_bytes().decode(errors="surrogateescape")
    head, blank, rest = text.partition("\n\n")
    message, mark, below = rest.partition("\n---\n")
    if not blank or not mark:
        raise ui.Fail(str(patch), "no message of a commit with '---' below", f"run: git checkout -- {patch}")
    there = {(key.lower(), value.rpartition("<")[2].partition(">")[0].lower()) for key, value in _LINE.findall(message)}
    new = list({one.same: one for one in reversed(list(trailers)) if one.same not in there}.values())[::-1]
    if new:
        # git puts them into the block of trailers that is there, or makes one.
        done = subprocess.run(["git", "interpret-trailers", "--no-divider", "--if-exists", "add",
                               *(word for one in new for word in ("--trailer", str(one)))],
                              input=f"x\n\n{message}\n".encode(errors="surrogateescape"), capture_output=True, cwd="/",
                              env=processes.clean_env(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1"))
        if done.returncode:
            raise ui.Fail("git interpret-trailers", processes.first_line(done.stderr.decode(errors="replace")),
                          "install a newer git")
        message = done.stdout.decode(errors="surrogateescape").removeprefix("x\n\n").rstrip("\n")
        if not message.isascii() and "\nContent-Type:" not in head:
            head += f"\n{_MIME.rstrip()}"
    return f"{head}\n\n{message}\n---\n{below}".encode(errors="surrogateescape"), new


def put(found: Mapping[Path, Iterable[Trailer]]) -> list[tuple[Path, Trailer]]:
    """Write the trailers that are @found into their patches; those that are new, with their patch.

    No patch is written before all of them could be made, and none is ever there in part.
    """
    made = {patch: added(patch, trailers) for patch, trailers in found.items()}
    for patch, (text, new) in made.items():
        if new:
            files.write_atomic(patch, text)
    return [(patch, one) for patch, (_, new) in sorted(made.items()) for one in new]
