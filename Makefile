# For fingers that type make: everything is in ./dev.
.PHONY: all help setup build run test check torture bench fmt clean
all: build
help setup build run test check torture bench fmt clean:
	@./dev $@
