# Developer verbs. `make help` is the front door; meson.build is the build.
B ?= build

help:           ## this list
	@sed -n 's/^\([a-z-]*\): *[a-z-]* *## /\1 - /p' Makefile
setup:          ## install the Debian packages that are missing
	@tools/setup
build: setup    ## compile everything into $(B)/
	@tools/build $(B)
demo: build     ## two people chat end to end encrypted through a real relay
	@tools/demo $(B)
demo-vm: build  ## the same with one of them in a QEMU guest, sealed by its device
	@tools/setup qemu
	@tests/qemu/setup $(B)
	@tools/demo-vm $(B)
vm: build       ## a shell in such a guest
	@tools/setup qemu
	@tests/qemu/setup $(B)
	@tools/vm $(B)
check: build    ## all tests: no root, loopback only, under 2 minutes
	@tools/check $(B)
sanitize: setup ## the tests under AddressSanitizer, UBSan; threads under TSan
	@tools/build build-sanitize -Db_sanitize=address,undefined
	@tools/check build-sanitize --no-suite mutants
	@CC=clang tools/build build-tsan -Db_sanitize=thread
	@tools/check build-tsan --suite threads
faults: setup   ## 24 random fault schedules under AddressSanitizer, then TSan
	@tools/build build-sanitize -Db_sanitize=address,undefined
	@tools/check build-sanitize --suite long long-faults
	@CC=clang tools/build build-tsan -Db_sanitize=thread
	@tools/check build-tsan --suite long long-faults
system: build   ## the long tests: 200 clients, 500 kills and power losses
	@tools/check $(B) --suite long
check-uml: build ## afalg and our module in a kernel of their own, no root
	@tools/setup uml
	@tests/uml/check $(B)
check-qemu: build ## our module in a stock kernel in QEMU, two CPUs
	@tools/setup uml
	@tools/setup qemu
	@tests/qemu/check $(B)
check-kasan: build ## the same on a kernel with KASAN, lockdep, kmemleak (1 hour)
	@tools/setup uml
	@tools/setup qemu
	@tests/qemu/check-kasan $(B)
fuzz: setup     ## each fuzz target for SECONDS=60
	@tools/fuzz $(or $(SECONDS),60)
bench:          ## both benches in short; targets missed are no error
	@QUICK=1 $(MAKE) --no-print-directory bench-device bench-relay
bench-device:   ## the device's speed beside libcrypto's, table and plot (3 min; QUICK=1: 10 s)
	@tools/setup bench
	@tools/build $(B)
	@tools/bench-device $(B) $(if $(QUICK),--quick --ms=5 --rounds=3)
bench-guest: build ## the driver's speed in guests beside other ways, table and plot (5 min; QUICK=1: 1 min)
	@tools/setup uml
	@tools/setup qemu
	@tools/setup bench
	@tests/qemu/setup $(B)
	@tools/bench-guest $(B) $(if $(QUICK),--quick --ms=100 --rounds=3)
bench-relay:    ## the relay beside its peers and its ceiling (15 min; QUICK=1: 1 min; OPTIONS="--realtime")
	@tools/setup bench-relay
	@tools/build $(B)
	@tools/bench-relay $(B) $(OPTIONS)
deb: setup      ## Debian packages into $(B)/deb, looked at by lintian
	@tools/setup deb
	@tools/deb $(B)
check-deb: deb  ## install them in a fresh Debian, chat, build the module (5 min)
	@tools/check-deb $(B)
format: setup   ## lay the code out as .clang-format says
	@tools/check-format --fix
install: build  ## install below DESTDIR
	@meson install -C $(B)
clean:          ## remove all build folders
	rm -rf build build-*
.PHONY: help setup build demo demo-vm vm check check-uml check-qemu check-kasan sanitize faults system fuzz bench bench-device bench-guest bench-relay deb check-deb format install clean
.DEFAULT_GOAL := help
