# SPDX-License-Identifier: GPL-2.0-only
# Names the steps and their order; what a step does is in scripts/.
#
#	KDIR=/path/to/linux	use this 7.3 tree instead of fetching one
#	SET=debug		repro, test, shell, gdb, fail-each: only this set of patches/ and
#				those that it needs; check, trailers: only its patches; mail: which to mail
#	BASE=6.12		repro, test, shell, gdb, fail-each: on another Linux, see docs/architectures.md
#	ACCEL=kvm|tcg		do not find out by a probe
#	ARCH=arm		repro, test, shell: another architecture, see docs/architectures.md
#	DELAY=20000		repro: ms until the timer fires, as published
#	FLAVOUR=plain		test, fuzz, shell, gdb, fail-each, explore, torture: which configs/*.config;
#				test, fuzz and torture take several
#	MATRIX=x86_64,arm64:plain,kasan:7.3	matrix: architectures:flavours:bases
#	CHECK=on,sparse PATCH=1,3-5	check: only these checks, only these patches
#	V=2 PREV=sent-2-debug-v1	mail: the second version, and the revision sent before
#	BASE_COMMIT=<40 digits>	mail: the commit that the series is made for
#	MBOX=path, MSGID=id	trailers: where the answers are
#	SINCE=origin/main	quick: what has changed since that commit; default HEAD
#	MODULE=path/to/your.ko	fail-each: which module; PARAMS='a=1 b=2' for it
#	WRITES=1000000 SEED=n	fuzz: how many, and what chooses them
#	MINUTES=30 CPUS=1,2,4 SEED=1	torture: how long in all, on how many CPUs, which decisions
#	ONLY=glob SAMPLE=5	mutants: those whose id or file matches, so many of today's
#	SCENARIO=name|path	explore: which, several with blanks; default all; JOBS=2 guests at a time

export KDIR ACCEL FLAVOUR ARCH BASE SET MATRIX
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.PHONY: help deps repro test models mutants fuzz quick matrix claims timeline fail-each explore torture shell gdb tree refresh check mail trailers roundtrip clean distclean

help:
	@echo 'make repro      fetch, patch, build and boot; see a creation blocked and released'
	@echo 'make test       all tests; ends with "N passed, N failed"'
	@echo 'make quick      the few tests that see first what has changed, in under a minute'
	@echo 'make matrix     MATRIX=x86_64,arm64:plain,kasan:7.3; the tests on each, as a table'
	@echo 'make models     search the models of the handshake, and their negative controls'
	@echo 'make fuzz       WRITES=1000000 SEED=n: write to all files of the series, and read them back'
	@echo 'make mutants    break one line of the series at a time; each has to fail a test. ONLY=glob SAMPLE=5'
	@echo 'make claims     what is said of kernel threads, what 7.3 does, and which tests show it'
	@echo 'make timeline   trace a creation, free and held, and draw it; BOOT=1: those of a whole boot'
	@echo "make fail-each  MODULE=your.ko: each creation of a thread in its init fails in turn"
	@echo 'make explore    SCENARIO=name|path: each creation of a thread in it is broken in turn'
	@echo 'make torture    MINUTES=30 CPUS=1,2,4 SEED=n: random lives of threads, and all that goes wrong'
	@echo 'make shell      an interactive guest with debugfs mounted'
	@echo 'make gdb        the same, stopped at the gdb stub'
	@echo 'make tree       unfold patches/ into the git tree build/tree'
	@echo 'make refresh    fold build/tree back into patches/ and series'
	@echo 'make check      each patch on its own against each check, as a table; and the scripts'
	@echo 'make mail       SET=debug: mails for git send-email, from you, when make check is green;'
	@echo '                sends nothing'
	@echo 'make trailers  MBOX=path or MSGID=id: put Reviewed-by and the like into the patches'
	@echo 'make roundtrip  send, archive, fetch and apply each set, all on this machine'
	@echo 'make deps       install what is missing (root), or print the apt line'
	@echo 'make clean      remove what was built; keep sources and downloads'
	@echo 'make distclean  remove build/'
	@echo 'KDIR=/path/to/linux uses your own 7.3 tree. SET=debug takes one set of patches, and'
	@echo 'those that it needs: fixes, debug, fault or misuse. See README.md.'

# Each asks for what it needs itself; `make deps` for all of it.
repro timeline tree refresh torture: export DEPS_FOR = repro
fail-each: export DEPS_FOR = fail-each
explore: export DEPS_FOR = explore
test fuzz matrix mutants: export DEPS_FOR = test
models: export DEPS_FOR = models
quick: export DEPS_FOR = test lint
shell: export DEPS_FOR = shell
gdb: export DEPS_FOR = shell gdb
check: export DEPS_FOR = check
mail: export DEPS_FOR = mail
trailers: export DEPS_FOR = trailers
roundtrip: export DEPS_FOR = roundtrip
# On x86-64, or on what it names itself.
check quick models mutants timeline fail-each explore torture matrix: override export ARCH =
# For the Linux that the series is made for.
tree refresh check quick models mutants mail trailers roundtrip claims matrix torture: override export BASE =
# For the whole series.
timeline tree refresh quick models mutants roundtrip claims matrix: override export SET =

deps:
	@scripts/deps

repro: deps
	@scripts/repro $(if $(DELAY),--delay-ms '$(DELAY)')

test: deps
	@scripts/test

quick: deps
	@scripts/quick $(if $(SINCE),--since '$(SINCE)')

matrix: deps
	@scripts/matrix

models: deps
	@scripts/models

fuzz: deps
	@scripts/fuzz $(if $(WRITES),--writes '$(WRITES)') $(if $(SEED),--seed '$(SEED)')

mutants: deps
	@scripts/mutants $(if $(ONLY),--only '$(ONLY)') $(if $(SAMPLE),--sample '$(SAMPLE)')

claims:
	@scripts/claims $(if $(PAGE),--page)

timeline: deps
	@scripts/timeline $(if $(BOOT),--boot,--guest)

fail-each: deps
	@scripts/fail-each '$(MODULE)' -- $(PARAMS)

explore: deps
	@scripts/explore $(if $(JOBS),--jobs '$(JOBS)') $(SCENARIO)

torture: deps
	@scripts/torture $(if $(MINUTES),--minutes '$(MINUTES)') $(if $(CPUS),--cpus '$(CPUS)') \
		$(if $(SEED),--seed '$(SEED)')

shell gdb: deps
	@scripts/guest $@

tree: deps
	@scripts/tree unfold

refresh: deps
	@scripts/tree fold

check: deps
	@scripts/check $(if $(CHECK),--checks '$(CHECK)') $(if $(PATCH),--patches '$(PATCH)')

mail: deps
	@scripts/mail $(if $(V),--version '$(V)') $(if $(PREV),--prev '$(PREV)') \
		$(if $(BASE_COMMIT),--base-commit '$(BASE_COMMIT)')

trailers: deps
	@scripts/trailers $(if $(MBOX),--mbox '$(MBOX)') $(if $(MSGID),--msgid '$(MSGID)')

roundtrip: deps
	@scripts/roundtrip

clean:
	@scripts/clean

distclean:
	@scripts/clean --all
