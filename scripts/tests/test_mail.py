# SPDX-License-Identifier: GPL-2.0-only
"""make mail: what it refuses, and what is in the mails."""

from __future__ import annotations

import os
from email import message_from_string
from email.message import Message
from pathlib import Path
from unittest import mock

import toy
from kdebug import mail, paths, series, stamp, tree

COVER = "From: x <x@localhost>\nSubject: [PATCH 00/02] kthread: add two lines\n\nWhy they are added.\n"
ONE = toy.KTHREAD.replace("int line5;\n", "int line5;\nint one;\n")
TWO = ONE.replace("int line20;\n", "int two;\n")
WHO = mail.Sender("A Sender", "a.sender@example.org")
# get_maintainer.pl: a maintainer of each patch, a second one of the second alone.
ASK = """print "K Maintainer <k\\@example.org> (maintainer:KTHREAD,reviewer:X (Y))\\n";
open(F, $ARGV[-1]); print "T Two <t\\@example.org> (supporter:TWO)\\n" if grep(/^\\+int two/, <F>);
print "R Reader <r\\@example.org> (reviewer:KTHREAD)\\nlist\\@example.org (open list)\\n";
"""


class Mail(toy.Case):
    def setUp(self) -> None:
        super().setUp()
        self.repo = self.tmp / "repo"
        self.patches = self.repo / "patches"
        self.enterContext(mock.patch.multiple(paths, REPO=self.repo, PATCHES=self.patches, SERIES=self.repo / "series"))
        self.base = self.toy_base(files={"scripts/get_maintainer.pl": ASK})
        rough = toy.plant(self.tmp / "rough", {
            "0001-a.patch": toy.mail("kthread: add one", toy.FILES, {"kernel/kthread.c": ONE}),
            "0002-b.patch": toy.mail("kthread: add two", {"kernel/kthread.c": ONE}, {"kernel/kthread.c": TWO})})
        tree._refold(sorted(rough.iterdir()), self.base.path, self.patches)
        self.cover = self.patches / mail.COVER
        self.cover.write_text(COVER)
        (self.repo / "series").write_text("".join(f"{p.name}\n" for p in sorted(self.patches.glob("000[12]*"))))
        toy.commit(self.repo)
        self.enterContext(mock.patch.dict(os.environ, {"GIT_CONFIG_GLOBAL": str(self.tmp / "gitconfig"),
                                                       "GIT_CONFIG_NOSYSTEM": "1"}))
        (self.tmp / "gitconfig").write_text(f"[user]\nname = {WHO.name}\nemail = {WHO.email}\n")
        self.green = self.build / "green"
        self.enterContext(mock.patch.object(stamp.is_green, "__defaults__", (self.green,)))
        stamp.green(stamp.key(), self.green)

    def make(self, version: int = 1, prev: list[Path] | None = None) -> list[Message]:
        self.mails = mail.make(WHO, self.base, self.build / "mail", "1" * 40, version, prev or [])
        return [message_from_string(m.read_text()) for m in self.mails]

    def change(self, patch: str, old: str, new: str) -> None:
        path = next(self.patches.glob(patch))
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))


class Refuses(Mail):
    def test_nothing_to_refuse(self) -> None:
        self.assertEqual(mail.refuse(), WHO)

    def test_no_identity(self) -> None:
        for text, key in (("", "user.name"), ("[user]\nname = A\n", "user.email"),
                          ("[user]\nemail = a@example.org\n", "user.name")):
            (self.tmp / "gitconfig").write_text(text)
            with self.subTest(key), self.fails(f"git {key}", "not set", f"git config --global {key}"):
                mail.refuse()

    def test_an_identity_that_nobody_can_answer(self) -> None:
        for email in ("me", "root@localhost", "x@(none)", "x@host.localdomain", "me@", "@x.org", "a b@c.org",
                      "a@b@c.org", tree.EMAIL):
            (self.tmp / "gitconfig").write_text(f"[user]\nname = A\nemail = {email}\n")
            with self.subTest(email), self.fails(email, "no address"):
                mail.refuse()

    def test_a_dirty_tree(self) -> None:
        self.change("0002*", "Why", "How")
        with self.fails("0002-kthread-add-two.patch", "not committed"):
            mail.refuse()
        toy.git(self.repo, "checkout", "-q", "--", ".")
        (self.patches / "new.patch").touch()
        with self.fails("new.patch", "not committed"):
            mail.refuse()

    def test_a_placeholder_in_the_cover_letter(self) -> None:
        for left in ("*** BLURB HERE ***", "@OFF@", "TODO"):
            self.cover.write_text(f"{COVER}\nIt takes {left}.\n")
            toy.git(self.repo, "commit", "-qam", "x")
            with self.subTest(left), self.fails(f"{mail.COVER}:6", left):
                mail.refuse()

    def test_a_cover_letter_that_says_nothing(self) -> None:
        for text in ("Subject: x\n\n\n", "no header\n\ntext\n"):
            self.cover.write_text(text)
            toy.git(self.repo, "commit", "-qam", "x")
            with self.subTest(text), self.fails(mail.COVER, "no Subject: line with a text"):
                mail.refuse()
        self.cover.unlink()
        toy.git(self.repo, "commit", "-qam", "x")
        with self.fails(mail.COVER, "not there"):
            mail.refuse()

    def test_a_fixes_line_that_names_no_commit(self) -> None:
        subject = '("kthread: break one")'
        for line in (f"Fixes: <hash?> {subject}", f"Fixes: {'0' * 12} {subject}", f"Fixes: 0123456789a {subject}",
                     "Fixes: 0123456789ab", f"Fixes:0123456789ab {subject}", f"Fixes: {'0' * 40} {subject}"):
            self.change("0002*", "\n---\n", f"\n\n{line}\n---\n")
            toy.git(self.repo, "commit", "-qam", "x")
            with self.subTest(line), self.fails("0002-kthread-add-two.patch", line, "12 digits", "git log -1"):
                mail.refuse()
            toy.git(self.repo, "reset", "-q", "--hard", "HEAD~")

    def test_a_fixes_line_that_names_one(self) -> None:
        self.change("0002*", "\n---\n", '\n\nFixes: 0123456789ab ("kthread: break (\"one\")")\n---\nFixes: what?\n')
        toy.git(self.repo, "commit", "-qam", "x")
        stamp.green(stamp.key(), self.green)
        self.assertEqual(mail.refuse(), WHO)

    def test_a_series_that_is_not_green(self) -> None:
        self.change("0001*", "Why", "How")
        toy.git(self.repo, "commit", "-qam", "x")
        with self.fails("make check", "not green for exactly this series"):
            mail.refuse()

    def test_a_commit_that_is_none(self) -> None:
        for given in ("v7.3", "1234", "g" * 40):
            with self.subTest(given), self.fails(f"BASE_COMMIT={given}", "40 digits"):
                mail.base_commit(given, self.base)


class Made(Mail):
    def test_in_order_and_in_one_thread(self) -> None:
        letter, one, two = self.make()
        self.assertEqual([m["Subject"] for m in (letter, one, two)],
                         ["[PATCH 0/2] kthread: add two lines", "[PATCH 1/2] kthread: add one",
                          "[PATCH 2/2] kthread: add two"])
        self.assertIsNone(letter["In-Reply-To"])
        self.assertRegex(letter["Message-Id"], "^<.+@.+>$")
        self.assertEqual({one["In-Reply-To"], two["In-Reply-To"]}, {letter["Message-Id"]})
        self.assertIn("Why they are added.", letter.get_payload())
        self.assertIn(" 1 file changed", letter.get_payload())

    def test_base_commit(self) -> None:
        self.assertIn(f"\nbase-commit: {'1' * 40}\n", self.make()[0].get_payload())
        self.assertEqual(mail.base_commit("", self.base), "v7.3.4")
        toy.commit(self.base.path)
        head = toy.git(self.base.path, "rev-parse", "HEAD").strip()
        self.assertEqual(mail.base_commit("", self.base), head)
        self.assertEqual(mail.base_commit("2" * 40, self.base), "2" * 40)

    def test_from_and_signed_by_who_sends(self) -> None:
        letter, *rest = self.make()
        self.assertEqual({m["From"] for m in (letter, *rest)}, {str(WHO)})
        for m in rest:
            self.assertIn(f"\n\nSigned-off-by: {WHO}\n---\n", m.get_payload())
            self.assertNotIn("kthread-debug@localhost", m.as_string())
        self.assertNotIn("Signed-off-by", letter.get_payload())
        self.assertNotIn("Signed-off-by", "".join(p.read_text() for p in self.patches.iterdir()))

    def test_to_and_cc(self) -> None:
        letter, one, two = self.make()
        k, t = "K Maintainer <k@example.org>", "T Two <t@example.org>"
        self.assertEqual([m["To"].replace("\n", "") for m in (letter, one, two)], [f"{k}, {t}", k, f"{k}, {t}"])
        self.assertEqual({m["Cc"].replace("\n", "") for m in (letter, one, two)},
                         {"R Reader <r@example.org>, list@example.org"})

    def test_an_older_mail_does_not_stay(self) -> None:
        self.make()
        (self.build / "mail/0099-old.patch").touch()
        self.make()
        self.assertEqual(sorted(self.mails), sorted((self.build / "mail").iterdir()))

    def test_what_sends_them(self) -> None:
        self.make()
        self.assertRegex(mail.command(self.mails, 1), r"^git send-email .*/mail/\*\.patch\ngit tag sent-v1$")


class Version(Mail):
    def setUp(self) -> None:
        super().setUp()
        toy.git(self.repo, "tag", "sent-v1")
        self.prev = mail.earlier("sent-v1", self.tmp / "prev")

    def test_nothing_was_sent(self) -> None:
        with self.fails("PREV=sent-v9", "no revision of this repository"):
            mail.earlier("sent-v9", self.tmp / "none")
        toy.git(self.repo, "rm", "-rq", "--cached", "patches")
        toy.git(self.repo, "commit", "-qm", "none")
        with self.fails("PREV=HEAD", "has patches/ and series"):
            mail.earlier("HEAD", self.tmp / "neither")

    def test_range_diff_and_changelog(self) -> None:
        self.change("0002*", "+int two;", "+int three;")
        self.change("0002*", "\n---\n", "\n---\nv2: three, not two\n\n")
        letter, one, two = self.make(2, self.prev)
        self.assertEqual(two["Subject"], "[PATCH v2 2/2] kthread: add two")
        self.assertEqual([m.name[:3] for m in self.mails], ["v2-"] * 3)
        self.assertRegex(letter.get_payload(), r"Range-diff against v1:\n1: .* = 1: .* kthread: add one\n2: .* ! 2: ")
        self.assertIn(f"Signed-off-by: {WHO}\n---\nv2: three, not two\n", two.get_payload())

    def test_a_change_that_says_nothing_is_refused(self) -> None:
        self.change("0002*", "+int two;", "+int three;")
        with self.fails("'kthread: add two'", "differs from v1", "'v2: ...'"):
            self.make(2, self.prev)
        self.change("0002*", "\n---\n", "\n---\nv3: three, not two\n\n")
        with self.fails("'kthread: add two'"):
            self.make(2, self.prev)

    def test_a_new_patch_says_so(self) -> None:
        (self.repo / "series").write_text("0001-kthread-add-one.patch\n")
        prev = self.prev[:1]
        next(self.patches.glob("0002*")).rename(self.patches / "0002-kthread-add-two.patch")
        (self.repo / "series").write_text("".join(f"{p.name}\n" for p in sorted(self.patches.glob("000[12]*"))))
        self.assertEqual(len(series.read()), 2)
        with self.fails("'kthread: add two'"):
            self.make(2, prev)
