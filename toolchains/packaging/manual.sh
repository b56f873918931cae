#!/usr/bin/env bash
# manual.sh AGENT [WORD...]: weir(1), with what the agent's own --help says of every command. AGENT may be an emulator and its words.
set -euo pipefail

agent=("$@")
version=$("${agent[@]}" --version)

# As it stands, with the blanks and the minus signs that it has.
as_it_stands() {
  echo .nf
  sed -e 's/\\/\\e/g; s/-/\\-/g' -e "s/^[.']/\\\\\\&&/"
  echo .fi
}

cat <<TEXT
.TH WEIR 1 "" "$version"
.SH NAME
weir \\- stream processor for gateways that does not lose data
.SH SYNOPSIS
.B weir
.I COMMAND
.RI [ CONFIG ...]
.RI [ options ]
.SH DESCRIPTION
weir takes messages from an MQTT broker, runs them through the pipelines of its configuration in a fixed amount of memory, and
publishes the results. What it knows is checkpointed into a database, and the broker is told "I have it" only after that:
whenever the agent is killed or the power fails, every message that the broker delivers is counted exactly once.
.PP
.I CONFIG
is a TOML file or a directory of them; see
.BR weir.toml (5).
Without one it is
.IR /etc/weir/weir.toml .
.SH COMMANDS
TEXT

"${agent[@]}" --help | sed -n 's/^  \([a-z][a-z-]*\)  *\(.*\)/\1 \2/p' | while read -r command _; do
  echo ".SS $command" | sed 's/-/\\-/g'
  "${agent[@]}" "$command" --help </dev/null | as_it_stands
done

cat <<'TEXT'
.SH "EXIT STATUS"
.TP
.B 0
all went well
.TP
.B 1
it failed; standard error says why
.TP
.B 64
the command line is wrong
.TP
.B 65
the stored state is damaged
.TP
.B 66
an input cannot be read
.TP
.B 75
another agent uses the state directory
.TP
.B 78
the configuration is wrong
.SH FILES
.TP
.I /etc/weir/weir.toml
the configuration, if no other is named
.TP
.I /var/lib/weir
the state: checkpoints, savepoints, the flight recorder; one agent each
.TP
.I /usr/share/doc/weir/examples
configurations, and settings for the broker
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
the agent takes a last checkpoint and ends
.TP
.B SIGHUP
it takes over a changed configuration
.TP
.B SIGUSR1
it takes a checkpoint
.SH "SEE ALSO"
.BR weir.toml (5),
.BR mosquitto (8)
TEXT
