# SPDX-License-Identifier: GPL-2.0-only
"""The fragments of a flavour, and whether they came out."""

from dataclasses import replace

from kdebug.build import arch, flavours
from kdebug.context import Context
from scratch import Scratch, fail


class Fragments(Scratch):
    def test_options(self) -> None:
        self.assertEqual(flavours.options('CONFIG_A=y\n# CONFIG_B is not set\n# talk of CONFIG_C=y\nCONFIG_S="a b"\n'
                                        'CONFIG_N=18\nCONFIG_X=n\n'),
                         {"CONFIG_A": "y", "CONFIG_B": "n", "CONFIG_S": '"a b"', "CONFIG_N": "18", "CONFIG_X": "n"})

    def test_on_top_of_comes_first_and_once(self) -> None:
        guest = self.fragment("guest", "CONFIG_A=n\n")
        x86 = self.fragment("x86_64", "# On top of: guest\nCONFIG_A=y\n")
        arm = self.fragment("arm", "CONFIG_A=m\n")
        plain = self.fragment("plain", "CONFIG_B=y\n")
        off = self.fragment("off", "# On top of: plain\n# CONFIG_B is not set\n")
        extra = self.fragment("extra", "# On top of: plain\nCONFIG_C=y\n")
        self.assertEqual(flavours.fragments(self.context, "off", ["extra"]), [guest, x86, plain, off, extra])
        self.assertEqual(flavours.fragments(replace(self.context, architecture="arm"), "plain"), [arm, plain])

    def test_unknown_flavour(self) -> None:
        self.fragment("x86_64", "")
        self.fragment("plain", "# On top of: nowhere\n")
        err = fail(self, flavours.fragments, self.context, "nope")
        self.assertEqual(str(err), "FLAVOUR=nope: no such flavour; use one of plain")
        self.assertEqual(fail(self, flavours.fragments, self.context, "plain").what,
                         "configs/plain.config: on top of nowhere")
        self.fragment("plain", "")
        for name in ("x86_64", "guest", "arm"):
            self.fragment(name, "")
            self.assertEqual(fail(self, flavours.fragments, self.context, name).what, f"FLAVOUR={name}")
        fail(self, flavours.fragments, self.context, "../configs/plain")

    def test_an_addition_is_no_flavour(self) -> None:
        self.fragment("x86_64", "")
        plain = self.fragment("plain", "")
        types = self.fragment("types", "# On top of a flavour, for types.\nCONFIG_T=y\n")
        self.assertEqual(str(fail(self, flavours.fragments, self.context, "types")),
                         "FLAVOUR=types: no such flavour; use one of plain")
        self.assertEqual(flavours.fragments(self.context, "plain", ["types"])[1:], [plain, types])

    def test_which_flavours_have_an_option(self) -> None:
        self.fragment("x86_64", "CONFIG_X=y\n")
        self.fragment("plain", "CONFIG_A=y\n")
        self.fragment("off", "# On top of: plain\n# CONFIG_A is not set\n")
        self.fragment("watch", "# On top of: plain\nCONFIG_B=y\n")
        self.fragment("off-watch", "# On top of: off\nCONFIG_C=m\nCONFIG_D=y\n")
        for wanted, names in ((("A",), ["plain", "watch"]), (("B", "D"), ["off-watch", "watch"]), (("C",), []),
                              (("NONE",), [])):
            self.assertEqual(flavours.flavours_with(self.context, *(f"CONFIG_{w}" for w in wanted)), names)

    def test_own_fragments(self) -> None:
        """Each fragment of the repository can be read and has its base."""
        context = Context()
        for path in context.configs.glob("*.config"):
            if path.stem not in {flavours.COMMON, *arch.TABLE}:
                self.assertEqual(flavours.fragments(context, "plain", [path.stem])[-1], path)
            self.assertTrue(flavours.options(path.read_text()), path)
            for line in path.read_text().splitlines():
                self.assertRegex(line, r"^(|#.*|CONFIG_\w+=\S+)$", path)


class Verify(Scratch):
    WANT = 'CONFIG_Y=y\n# CONFIG_N is not set\nCONFIG_M=m\nCONFIG_S="x"\nCONFIG_I=18\n'

    def test_all_there(self) -> None:
        f = self.fragment("f", self.WANT)
        flavours.verify([f], 'CONFIG_Y=y\n# CONFIG_N is not set\nCONFIG_M=m\nCONFIG_S="x"\nCONFIG_I=18\nCONFIG_Z=y\n')
        # An option that is not visible at all is off as well.
        flavours.verify([f], 'CONFIG_Y=y\nCONFIG_M=m\nCONFIG_S="x"\nCONFIG_I=18\n')

    def test_each_kind_dropped(self) -> None:
        f = self.fragment("f", self.WANT)
        good = {"CONFIG_Y": "y", "CONFIG_N": "n", "CONFIG_M": "m", "CONFIG_S": '"x"', "CONFIG_I": "18"}
        for opt, got in (("CONFIG_Y", "n"), ("CONFIG_Y", "m"), ("CONFIG_N", "y"), ("CONFIG_M", "y"),
                         ("CONFIG_S", '"y"'), ("CONFIG_I", "12")):
            config = "".join(f"{o}={v}\n" for o, v in {**good, opt: got}.items())
            err = fail(self, flavours.verify, [f], config)
            self.assertEqual(err.what, "configs/f.config")
            self.assertEqual(err.problem, f"{opt} did not survive: wanted {good[opt]}, got {got}")
        err = fail(self, flavours.verify, [f], "")
        self.assertIn("(and 3 more: CONFIG_M CONFIG_S CONFIG_I)", err.problem)

    def test_last_fragment_wins(self) -> None:
        one = self.fragment("one", "CONFIG_A=y\n")
        two = self.fragment("two", "# CONFIG_A is not set\n")
        flavours.verify([one, two], "# CONFIG_A is not set\n")
        self.assertEqual(fail(self, flavours.verify, [two, one], "").what, "configs/one.config")

    def test_what_a_set_lacks_is_not_missed(self) -> None:
        one = self.fragment("one", "CONFIG_A=y\nCONFIG_B=y\n")
        flavours.verify([one], "CONFIG_A=y\n", ["CONFIG_B"])
        self.assertIn("CONFIG_A did not survive", fail(self, flavours.verify, [one], "", ["CONFIG_B"]).problem)
