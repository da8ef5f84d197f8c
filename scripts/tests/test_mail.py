# SPDX-License-Identifier: GPL-2.0-only
"""make mail: what it refuses, and what is in the mails."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from email import message_from_string
from email.message import Message
from unittest import mock

import toy
from kdebug import gitrepo, mail, paths, series, stamp, tree

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
            "1-fixes/0001-x.patch": toy.mail("fork: mend it", toy.FILES, {"kernel/fork.c": "int mended;\n"}),
            "1-fixes/0002-y.patch": toy.mail("fork: mend more", {}, {"kernel/more.c": "int more;\n"}),
            "2-debug/0001-a.patch": toy.mail("kthread: add one", toy.FILES, {"kernel/kthread.c": ONE}),
            "2-debug/0002-b.patch": toy.mail("kthread: add two", {"kernel/kthread.c": ONE}, {"kernel/kthread.c": TWO}),
            "3-fault/0001-c.patch": toy.mail("kthread: add three", {}, {"kernel/three.c": "int three;\n"}),
            "4-misuse/0001-d.patch": toy.mail("kthread: add four", {}, {"kernel/four.c": "int four;\n"})})
        tree._refold(series.group(sorted(rough.glob("*/*"))), self.base.path, self.patches)
        for name in paths.SETS:
            (self.patches / name / series.COVER).write_text(COVER)
        self.cover = self.patches / "2-debug" / series.COVER
        self.list()
        toy.commit(self.repo)
        self.enterContext(mock.patch.dict(os.environ, {"GIT_CONFIG_GLOBAL": str(self.tmp / "gitconfig"),
                                                       "GIT_CONFIG_NOSYSTEM": "1"}))
        (self.tmp / "gitconfig").write_text(f"[user]\nname = {WHO.name}\nemail = {WHO.email}\n")
        self.green = self.build / "green"
        self.enterContext(mock.patch.object(stamp.is_green, "__defaults__", (self.green,)))
        stamp.green(paths.SETS, stamp.keys(), self.green)

    def list(self) -> None:
        """Write series, from what is there."""
        (self.repo / "series").write_text("".join(f"{series.name(p)}\n" for p in sorted(self.patches.glob("*/000[1-9]*"))))

    def set(self, name: str = "2-debug") -> series.Set:
        return series.upto(name, series.sets())[-1]

    def refuse(self) -> mail.Sender:
        return mail.refuse(self.set())

    def make(self, version: int = 1, prev: Sequence[series.Set] = (), name: str = "2-debug") -> Sequence[Message]:
        self.mails = mail.make(WHO, self.base, series.upto(name, series.sets()), self.build / "mail", "1" * 40, version,
                               prev)
        return [message_from_string(m.read_text()) for m in self.mails]

    def change(self, patch: str, old: str, new: str) -> None:
        path = next(self.patches.glob(f"2-debug/{patch}"))
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))


class Refuses(Mail):
    def test_nothing_to_refuse(self) -> None:
        self.assertEqual(self.refuse(), WHO)

    def test_no_identity(self) -> None:
        for text, key in (("", "user.name"), ("[user]\nname = A\n", "user.email"),
                          ("[user]\nemail = a@example.org\n", "user.name")):
            (self.tmp / "gitconfig").write_text(text)
            with self.subTest(key), self.fails(f"git {key}", "not set", f"git config --global {key}"):
                self.refuse()

    def test_an_identity_that_nobody_can_answer(self) -> None:
        for email in ("me", "root@localhost", "x@(none)", "x@host.localdomain", "me@", "@x.org", "a b@c.org",
                      "a@b@c.org", gitrepo.EMAIL):
            (self.tmp / "gitconfig").write_text(f"[user]\nname = A\nemail = {email}\n")
            with self.subTest(email), self.fails(email, "not an address"):
                self.refuse()

    def test_a_dirty_tree(self) -> None:
        self.change("0002*", "Why", "How")
        with self.fails("0002-kthread-add-two.patch", "not committed"):
            self.refuse()
        toy.git(self.repo, "checkout", "-q", "--", ".")
        (self.patches / "2-debug/new.patch.orig").touch()
        with self.fails("new.patch.orig", "not committed"):
            self.refuse()

    def test_a_placeholder_in_the_cover_letter(self) -> None:
        for left in ("*** BLURB HERE ***", "@OFF@", "TODO"):
            self.cover.write_text(f"{COVER}\nIt takes {left}.\n")
            toy.git(self.repo, "commit", "-qam", "x")
            with self.subTest(left), self.fails(f"{series.COVER}:6", left):
                self.refuse()

    def test_a_cover_letter_that_says_nothing(self) -> None:
        for text in ("Subject: x\n\n\n", "no header\n\ntext\n"):
            self.cover.write_text(text)
            toy.git(self.repo, "commit", "-qam", "x")
            with self.subTest(text), self.fails(series.COVER, "no Subject: line with a text"):
                self.refuse()
        self.cover.unlink()
        toy.git(self.repo, "commit", "-qam", "x")
        with self.fails(series.COVER, "not there"):
            self.refuse()

    def test_a_fixes_line_that_names_no_commit(self) -> None:
        subject = '("kthread: break one")'
        for line in (f"Fixes: <hash?> {subject}", f"Fixes: {'0' * 12} {subject}", f"Fixes: 0123456789a {subject}",
                     "Fixes: 0123456789ab", f"Fixes:0123456789ab {subject}", f"Fixes: {'0' * 40} {subject}"):
            self.change("0002*", "\n---\n", f"\n\n{line}\n---\n")
            toy.git(self.repo, "commit", "-qam", "x")
            with self.subTest(line), self.fails("0002-kthread-add-two.patch", line, "12 digits", "git log -1"):
                self.refuse()
            toy.git(self.repo, "reset", "-q", "--hard", "HEAD~")

    def test_a_fixes_line_that_names_one(self) -> None:
        self.change("0002*", "\n---\n", '\n\nFixes: 0123456789ab ("kthread: break (\"one\")")\n---\nFixes: what?\n')
        toy.git(self.repo, "commit", "-qam", "x")
        stamp.green(["2-debug"], stamp.keys(), self.green)
        self.assertEqual(self.refuse(), WHO)

    def test_a_series_that_is_not_green(self) -> None:
        self.change("0001*", "Why", "How")
        toy.git(self.repo, "commit", "-qam", "x")
        with self.fails("make check", "not green for exactly this state of 2-debug", "make check SET=debug"):
            self.refuse()
        self.assertEqual(mail.refuse(self.set("1-fixes")), WHO)
        with self.fails("make check", "not green for exactly this state of 3-fault"):
            mail.refuse(self.set("3-fault"))

    def test_no_set(self) -> None:
        with self.fails("SET: not given", "one set is mailed at a time", "one of fixes debug fault misuse"):
            mail.chosen()
        with mock.patch.object(paths, "SET", "2-debug"):
            self.assertEqual([one.name for one in mail.chosen()], ["1-fixes", "2-debug"])
        with mock.patch.object(paths, "SET", "4-misuse"):
            self.assertEqual([one.name for one in mail.chosen()], ["1-fixes", "2-debug", "4-misuse"])
            next(self.patches.glob("4-misuse/0001*")).unlink()
            self.list()
            with self.fails("SET=4-misuse: has no patches", "one of fixes debug fault"):
                mail.chosen()

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

    def needed(self, text: str) -> Sequence[str]:
        """The patch ids in the block that begins with base-commit:."""
        block = text.split("\nbase-commit: ", 1)[1].split("-- \n", 1)[0]
        return re.findall(r"^prerequisite-patch-id: ([0-9a-f]{40})$", block, re.M)

    def ids(self) -> Sequence[str]:
        """Of the mails made last, without the cover letter."""
        return [subprocess.run(["git", "patch-id", "--stable"], stdin=open(m), capture_output=True, text=True,
                               check=True).stdout.split()[0] for m in self.mails[1:]]

    def test_a_set_names_the_patches_that_it_needs(self) -> None:
        """In the order to apply them, by the ids of the mails in which they are sent."""
        of: dict[str, Sequence[str]] = {}
        for name, want in (("1-fixes", []), ("2-debug", ["1-fixes"]), ("3-fault", ["1-fixes", "2-debug"]),
                           ("4-misuse", ["1-fixes", "2-debug"])):
            with self.subTest(name):
                letter, *rest = self.make(name=name)
                of[name] = self.ids()
                self.assertEqual(self.needed(letter.get_payload()), [i for other in want for i in of[other]])
                self.assertNotIn("prerequisite", "".join(m.get_payload() for m in rest))
        self.assertEqual([len(ids) for ids in of.values()], [2, 2, 1, 1])

    def test_its_mails_are_its_own(self) -> None:
        for name, want in (("1-fixes", ["fork: mend it", "fork: mend more"]), ("4-misuse", ["kthread: add four"])):
            with self.subTest(name):
                self.assertEqual([m["Subject"].split("] ")[1] for m in self.make(name=name)[1:]], want)
                self.assertEqual([m["From"] for m in self.make(name=name)], [str(WHO)] * (len(want) + 1))

    def test_from_and_signed_by_who_sends(self) -> None:
        letter, *rest = self.make()
        self.assertEqual({m["From"] for m in (letter, *rest)}, {str(WHO)})
        for m in rest:
            self.assertIn(f"\n\nSigned-off-by: {WHO}\n---\n", m.get_payload())
            self.assertNotIn("kthread-debug@localhost", m.as_string())
        self.assertNotIn("Signed-off-by", letter.get_payload())
        self.assertNotIn("Signed-off-by", "".join(p.read_text() for p in self.patches.glob("*/*")))

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
        self.assertRegex(mail.command(self.mails, "2-debug", 1),
                         r"^git send-email .*/mail/\*\.patch\ngit tag sent-2-debug-v1$")


class Version(Mail):
    def setUp(self) -> None:
        super().setUp()
        toy.git(self.repo, "tag", "sent-v1")
        self.prev = mail.earlier("sent-v1", "2-debug", self.tmp / "prev")

    def test_nothing_was_sent(self) -> None:
        with self.fails("PREV=sent-v9", "no revision of this repository"):
            mail.earlier("sent-v9", "2-debug", self.tmp / "none")
        toy.git(self.repo, "rm", "-rq", "--cached", "patches")
        toy.git(self.repo, "commit", "-qm", "none")
        with self.fails("PREV=HEAD", "has patches/ and series"):
            mail.earlier("HEAD", "2-debug", self.tmp / "neither")

    def test_what_was_sent_had_no_such_set(self) -> None:
        next(self.patches.glob("4-misuse/0001*")).unlink()
        self.list()
        toy.git(self.repo, "commit", "-qam", "none")
        with self.fails("PREV=HEAD", "no patches of 4-misuse"):
            mail.earlier("HEAD", "4-misuse", self.tmp / "none")
        (self.repo / "series").write_text("0001-flat.patch\n")
        toy.git(self.repo, "commit", "-qam", "flat")
        with self.fails("PREV=HEAD", "'0001-flat.patch' is not the name", "name a revision that has sets"):
            mail.earlier("HEAD", "2-debug", self.tmp / "flat")

    def test_what_is_below_may_have_changed_as_well(self) -> None:
        path = next(self.patches.glob("1-fixes/0001*"))
        path.write_text(path.read_text().replace("+int mended;", "+int healed;"))
        letter, *_ = self.make(2, self.prev)
        self.assertRegex(letter.get_payload(), r"Range-diff against v1:\n1: .* = 1: .* kthread: add one\n2: .* = 2: ")

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
        *below, one = self.prev
        with self.fails("'kthread: add two'"):
            self.make(2, [*below, series.Set(one.name, one.patches[:1])])
