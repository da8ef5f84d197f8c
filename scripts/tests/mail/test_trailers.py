# SPDX-License-Identifier: GPL-2.0-only
"""What reviewers answer goes into the patches that they answer to. b4 says the same."""

from __future__ import annotations

import mailbox
import os
import re
import shutil
import subprocess
import unittest
from collections.abc import Sequence
from email.message import EmailMessage, Message
from email.policy import SMTP, default
from pathlib import Path
from unittest import mock

import toy
from kdebug.context import SETS
from kdebug.mail import trailers
from kdebug.patches import from_commits, series
from mail.test_compose import COVER, WHO, Mail

ONE = "Reviewer One <one@example.org>"
TWO = "Tester Two <two@example.org>"


class Trailers(Mail):
    def setUp(self) -> None:
        super().setUp()
        for name in SETS:
            said = "add two" if name == "2-debug" else name
            (self.patches / name / series.COVER).write_text(COVER.replace("add two", said))
        self.letter, self.first, self.second = self.make()
        self.box = self.tmp / "box.mbox"
        self.mails: list[Message] = [self.letter, self.first, self.second]

    def answer(self, to: Message, who: str, text: str, subject: str = "") -> Message:
        """Somebody's answer to a mail, now in the mailbox."""
        message = EmailMessage(policy=default.clone(max_line_length=998))  # as all other mailers write ids
        message["From"] = who
        message["Subject"] = subject or f"Re: {re.sub('^Re: ', '', to['Subject'])}"
        message["Message-Id"] = f"<{len(self.mails)}@example.org>"
        message["In-Reply-To"] = to["Message-Id"]
        message["References"] = f"{to.get('References', '')} {to['Message-Id']}".strip()
        message["Date"] = toy.DATE
        message.set_content("> Why.\n> Reviewed-by: Quoted <quoted@example.org>\n\n"
                            f"{text}\n-- \nAcked-by: A Motto <m@example.org>\n")
        self.mails.append(message)
        return message

    def save(self, mails: Sequence[Message] | None = None) -> Path:
        self.box.unlink(missing_ok=True)
        box = mailbox.mbox(self.box)
        for one in self.mails if mails is None else mails:
            # As it is sent: no character beyond ASCII in the frame.
            box.add(one.as_bytes())
        box.close()
        return self.box

    def found(self, name: str = "", mails: Sequence[Message] | None = None) -> trailers.Found:
        sets = [one for one in series.sets(self.context) if name in ("", one.name)]
        return trailers.collect(trailers.read(self.save(mails)), sets)

    def put(self) -> dict[str, list[str]]:
        """What has been added to each patch, by its name."""
        said: dict[str, list[str]] = {}
        for patch, one in trailers.put(self.found().trailers):
            said.setdefault(series.name(patch)[:12], []).append(str(one))
        return said

    def in_patch(self, number: int, name: str = "2-debug") -> list[str]:
        """The trailers in the message of this patch."""
        text = next(self.patches.glob(f"{name}/{number:04}-*")).read_text()
        return re.findall(r"^[A-Z][a-z-]+: .*@.*", text.partition("\n\n")[2].partition("\n---\n")[0], re.M)

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in sorted(self.patches.glob("*/*"))}


class Collects(Trailers):
    def test_into_the_patch_that_is_answered(self) -> None:
        self.answer(self.second, ONE, f"Fine.\n\nReviewed-by: {ONE}")
        self.answer(self.first, TWO, f"Tested-by: {TWO} # on arm64\nreported-by: {TWO}")
        before = self.files()
        self.assertEqual(self.put(), {"2-debug/0001": [f"Tested-by: {TWO} # on arm64", f"Reported-by: {TWO}"],
                                      "2-debug/0002": [f"Reviewed-by: {ONE}"]})
        self.assertEqual(self.in_patch(2), [f"Reviewed-by: {ONE}"])
        changed = [Path(name).name[:4] for name, text in self.files().items() if before[name] != text]
        self.assertEqual(changed, ["0001", "0002"])

    def test_an_answer_to_the_cover_letter_is_for_all_of_the_set(self) -> None:
        self.answer(self.letter, ONE, f"Acked-by: {ONE}")
        self.assertEqual(self.put(), {f"2-debug/000{n}": [f"Acked-by: {ONE}"] for n in (1, 2)})

    def test_an_answer_to_an_answer(self) -> None:
        question = self.answer(self.first, ONE, "Why one?")
        reason = self.answer(question, "A Sender <a.sender@example.org>", "Because.", "Re: [was: one] why")
        self.answer(reason, ONE, f"I see.\nReviewed-by: {ONE}", "Re: why")
        self.assertEqual(self.put(), {"2-debug/0001": [f"Reviewed-by: {ONE}"]})

    def test_what_is_there_is_not_doubled(self) -> None:
        self.answer(self.first, ONE, f"Reviewed-by: {ONE}\nReviewed-by: {ONE}")
        self.answer(self.letter, ONE, f"Reviewed-by: {ONE}")
        self.put()
        self.assertEqual(self.in_patch(1), [f"Reviewed-by: {ONE}"])
        before = self.files()
        self.answer(self.first, "Reviewer O. <ONE@example.org>", "Reviewed-by: Reviewer O. <ONE@example.org>")
        self.assertEqual(self.put(), {})
        self.assertEqual(self.files(), before)
        self.answer(self.first, ONE, f"Tested-by: {ONE}")
        self.assertEqual(self.put(), {"2-debug/0001": [f"Tested-by: {ONE}"]})
        self.assertEqual(self.in_patch(1), [f"Reviewed-by: {ONE}", f"Tested-by: {ONE}"])

    def test_behind_those_that_are_there_and_before_the_sign_off(self) -> None:
        there = 'Fixes: 0123456789ab ("x")\nCc: stable@vger.kernel.org\n'
        self.change("0001*", "\n---\n", f"\n\n{there}---\nv2: said why\n\n")
        self.answer(self.first, ONE, f"Reviewed-by: {ONE}")
        self.put()
        text = next(self.patches.glob("2-debug/0001*")).read_text()
        self.assertIn(f"\n\n{there}Reviewed-by: {ONE}\n---\nv2: said why\n", text)
        _, one, _ = self.make()
        self.assertIn(f"\nReviewed-by: {ONE}\nSigned-off-by: {WHO}\n---\n", one.get_payload())

    def test_the_fold_keeps_them_byte_for_byte(self) -> None:
        self.answer(self.first, "Prüferin Drei <three@example.org>", "Reviewed-by: Prüferin Drei <three@example.org>")
        self.answer(self.second, ONE, f"Acked-by: {ONE}")
        self.put()
        from_commits.there_and_back(series.sets(self.context), self.base.path, self.tmp / "again")
        for path in self.patches.glob("*/000[1-9]*"):
            self.assertEqual((self.tmp / "again" / series.name(path)).read_text(), path.read_text())
        self.assertEqual(self.in_patch(1), ["Reviewed-by: Prüferin Drei <three@example.org>"])

    def test_without_the_mails_of_the_patches(self) -> None:
        """A reviewer's answers alone: their subjects tell the patch."""
        answers = [self.answer(self.second, ONE, f"Reviewed-by: {ONE}"),
                   self.answer(self.letter, TWO, f"Tested-by: {TWO}")]
        found = self.found(mails=answers)
        self.assertEqual({p.name[:4]: list(map(str, t)) for p, t in found.trailers.items()},
                         {"0001": [f"Tested-by: {TWO}"], "0002": [f"Reviewed-by: {ONE}", f"Tested-by: {TWO}"]})
        self.assertEqual(found.left, [])

    def test_an_earlier_version(self) -> None:
        self.answer(self.second, ONE, f"Reviewed-by: {ONE}", "AW: Re: [PATCH v3  02/17] kthread: add two")
        self.assertEqual(self.put(), {"2-debug/0002": [f"Reviewed-by: {ONE}"]})

    def test_two_sets_with_the_same_subject(self) -> None:
        other = next(self.patches.glob("4-misuse/0001*"))
        other.write_text(other.read_text().replace("kthread: add four", "kthread: add two"))
        self.answer(self.second, ONE, f"Reviewed-by: {ONE}")
        self.assertEqual(list(self.put()), ["2-debug/0002"])
        self.mails.clear()
        self.answer(self.second, TWO, f"Acked-by: {TWO}", "Re: [PATCH 1/1] kthread: add two")
        self.assertEqual(list(self.put()), ["4-misuse/000"])
        self.answer(self.second, TWO, f"Tested-by: {TWO}", "Re: [PATCH v2 3/9] kthread: add two")
        self.assertEqual(self.put(), {})
        self.assertRegex(self.found().left[0], f"^Tested-by: {TWO}: .* is the subject of several patches, give SET=$")
        self.assertEqual([p.parent.name for p in self.found("4-misuse").trailers], ["4-misuse"])


class LeavesOut(Trailers):
    def left(self, text: str, to: Message | None = None, who: str = ONE, subject: str = "") -> str:
        """Why nothing of this answer is taken."""
        before = self.files()
        self.answer(to or self.first, who, text, subject)
        self.assertEqual(self.put(), {})
        self.assertEqual(self.files(), before)
        left = self.found().left
        self.assertEqual(len(left), 1, left)
        self.mails.pop()
        return left[0]

    def test_from_somebody_else(self) -> None:
        self.assertEqual(self.left(f"Reviewed-by: {TWO}"), f"Reviewed-by: {TWO}: the mail is from {ONE}; "
                         "in 'Re: [PATCH 1/2] kthread: add one' from one@example.org")

    def test_the_same_person_by_the_name_or_by_the_address(self) -> None:
        given = {"reviewer one <at-work@example.com>": f"Reviewed-by: {ONE}", "R <ONE@example.org>": f"Acked-by: {ONE}",
                 "one+lists@example.org": f"Tested-by: {ONE}",
                 "Prüfer Drei <x@example.com>": "Reviewed-by: Prüfer Drei <three@example.org>"}
        for who, line in given.items():
            self.answer(self.first, who, line)
        self.assertEqual(self.put(), {"2-debug/0001": list(given.values())})

    def test_what_belongs_to_no_patch(self) -> None:
        for subject in ("Re: [PATCH 3/3] kthread: add another", "a question", "Re: kthread: add one"):
            message = self.answer(self.first, ONE, f"Acked-by: {ONE}", subject)
            del message["In-Reply-To"], message["References"]
            with self.subTest(subject):
                self.assertEqual(self.found().left,
                                 [f"Acked-by: {ONE}: '{subject}' from one@example.org answers no patch of patches/"])
                self.assertRegex(self.found("4-misuse").left[0], "answers no patch of 4-misuse")
            self.mails.pop()

    def test_what_is_no_trailer_to_take(self) -> None:
        for line, why in ((f"Signed-off-by: {ONE}", "only Reviewed-by"), (f"Nacked-by: {ONE}", "only Reviewed-by"),
                          ("Reviewed-by: Reviewer One", "not of the form"),
                          ("Acked-by: one@example.org", "not of the form"),
                          (f"Reviewed-by: {ONE}, if you add two", "not of the form"),
                          ("Reviewed-by: \x1b[31mOne <one@example.org>", "not of the form")):
            with self.subTest(line):
                self.assertIn(why, self.left(line))

    def test_a_quote_and_a_signature_are_not_said(self) -> None:
        self.answer(self.first, ONE, "I wonder.\n> > Reviewed-by: X <one@example.org>")
        self.assertEqual((self.put(), self.found().left), ({}, []))


class Reads(Trailers):
    def test_each_kind_of_mailbox(self) -> None:
        answer = self.answer(self.second, ONE, f"From here it is fine.\nFrom there, too.\n\nReviewed-by: {ONE}")
        folder = mailbox.Maildir(self.tmp / "dir")
        folder.add(answer.as_bytes())
        (self.tmp / "one.eml").write_bytes(answer.as_bytes(policy=SMTP.clone(max_line_length=998)))
        (self.tmp / "raw").write_bytes(self.save().read_bytes().replace(b"\n>From ", b"\nFrom "))
        for path in (self.box, self.tmp / "raw", self.tmp / "dir", self.tmp / "one.eml"):
            with self.subTest(path):
                found = trailers.collect(trailers.read(path), series.sets(self.context))
                self.assertEqual([list(map(str, some)) for some in found.trailers.values()], [[f"Reviewed-by: {ONE}"]])

    def test_each_way_to_send_a_text(self) -> None:
        text = f"Reviewed-by: Prüfer Eins\n <{ONE.partition('<')[2]}\n"
        head = (f"From: =?latin-1?q?Eins=2C_Pr=FCfer?= <one@example.org>\n"
                f"Subject: =?utf-8?q?Re=3A?= {self.first['Subject']}\n")
        for charset, more in (("utf-8", "base64"), ("latin-1", "quoted-printable"), ("utf-8", "8bit")):
            part = EmailMessage()
            part.set_content(text, charset=charset, cte=more)
            mixed = (b'Content-Type: multipart/mixed; boundary="b"\n\n'
                     b"--b\nContent-Type: text/html\n\n<p>\n--b\n%b\n--b--\n")
            for body in (bytes(part), mixed % bytes(part)):
                with self.subTest(charset + more):
                    taken, left = trailers.given(trailers.parsed(head.encode() + body))
                    self.assertEqual((list(map(str, taken)), left),
                                     (["Reviewed-by: Prüfer Eins <one@example.org>"], []))
        broken = head.encode() + (b"Content-Type: text/plain; charset=none-such\n\n"
                                  b"Reviewed-by: Pr\xfcfer <one@example.org>\n")
        self.assertEqual(trailers.given(trailers.parsed(broken))[1][0][1], "not of the form Name <address>")
        self.assertEqual(trailers.parsed(b"From: =?none-such?q?One?= <one@example.org>\n\n").address, "one@example.org")

    def test_what_is_no_mailbox(self) -> None:
        before = self.files()
        (self.tmp / "empty").touch()
        (self.tmp / "binary").write_bytes(bytes(range(256)) * 9)
        (self.tmp / "text").write_text("Reviewed-by: One <one@example.org>\n")
        mailbox.Maildir(self.tmp / "none").close()
        for name in ("no-such", "empty", "binary", "text", "none", "repo"):
            with self.subTest(name), self.fails(f"MBOX={self.tmp / name}", "give an mbox, as b4 mbox writes it"):
                trailers.put(trailers.collect(trailers.read(self.tmp / name), series.sets(self.context)).trailers)
        self.assertEqual(self.files(), before)

    def test_a_loop_of_answers_ends(self) -> None:
        one = self.answer(self.first, ONE, f"Acked-by: {ONE}", "Re: x")
        two = self.answer(one, ONE, "y", "Re: y")
        one.replace_header("In-Reply-To", two["Message-Id"])
        del one["References"], two["References"]
        self.assertEqual(len(self.found().left), 1)

    def test_a_patch_that_is_none_stops_all(self) -> None:
        self.answer(self.letter, ONE, f"Reviewed-by: {ONE}")
        found = self.found()
        self.change("0002*", "\n---\n", "\n")
        before = self.files()
        with self.fails("0002-kthread-add-two.patch", "no message of a commit", "git checkout"):
            trailers.put(found.trailers)
        self.assertEqual(self.files(), before)

    def test_the_thread_by_b4(self) -> None:
        self.answer(self.first, ONE, f"Reviewed-by: {ONE}")
        tools = self.tmp / "tools"
        self.enterContext(mock.patch.dict(os.environ, {"PATH": f"{tools}:{os.environ['PATH']}"}))
        toy.tool(tools, "b4", f'echo "$*" > {tools}/said; cp {self.save()} "$3/$5.mbx"')
        (self.tmp / "to").mkdir()
        self.assertEqual(len(trailers.read(trailers.fetch("1@example.org", self.tmp / "to"))), 4)
        self.assertEqual((tools / "said").read_text(), f"mbox -o {self.tmp}/to -n thread 1@example.org\n")
        (self.tmp / "to/thread.mbx").unlink()
        part = self.tmp / "to/thread.part"
        for script in (f"touch {part}; echo CRITICAL: no network; exit 1",
                       f"rm {part}; echo Looking; echo CRITICAL: no network"):
            toy.tool(tools, "b4", script)
            with self.fails("MSGID=1@example.org", "CRITICAL: no network", "give MBOX="):
                trailers.fetch("1@example.org", self.tmp / "to")


@unittest.skipUnless(shutil.which("b4"), "needs b4: make deps")
class AsB4(Trailers):
    def b4(self, *args: str | Path) -> str:
        home = self.tmp / "home"
        home.mkdir(exist_ok=True)
        shutil.copy(self.tmp / "gitconfig", home / ".gitconfig")
        off = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "b4.attestation-policy", "GIT_CONFIG_VALUE_0": "off"}
        return subprocess.run(["b4", "--offline-mode", *map(str, args)], cwd=self.repo, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=os.environ | off | {"HOME": str(home)}).stdout

    def test_the_same_trailers_in_the_same_patches(self) -> None:
        question = self.answer(self.first, ONE, "Why?")
        self.answer(question, ONE, f"I see.\n\nReviewed-by: {ONE}")
        self.answer(self.second, TWO, f"Tested-by: {TWO} # on arm64\nReported-by: {TWO}")
        self.answer(self.second, TWO, f"Acked-by: {ONE}")
        self.answer(self.second, "reviewer one <elsewhere@example.com>", f"Acked-by: {ONE}")
        self.answer(self.letter, ONE, f"Acked-by: {ONE}")
        (self.tmp / "out").mkdir()
        said = self.b4("am", "-t", "-o", self.tmp / "out", "-n", "all", "-m", self.save(),
                       self.letter["Message-Id"].strip("<>"))
        applied = [bytes(one).decode().partition("\n---\n")[0]
                   for one in mailbox.mbox(self.tmp / "out/all.mbx", create=False)]
        self.put()
        self.assertEqual([{*self.in_patch(n), f"Signed-off-by: {WHO}"} for n in (1, 2)],
                         [set(re.findall(r"^[A-Z]\S+-by: .*", text, re.M)) for text in applied])
        self.assertIn("from/email mismatches", said)
        self.assertEqual(len(self.found().left), 1)
