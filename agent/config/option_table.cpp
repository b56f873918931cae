// The one option table. To add an option: a member in spec.h and a row here; then regenerate the schema and the reference page
// (the failing test says how).
#include "agent/config/checks.h"
#include "agent/config/option.h"
#include "agent/config/step_sections.h"

namespace weir {
namespace {

using enum OptionType;

constexpr const char* log_levels[] = {"error", "warning", "notice", "info", "debug"};
constexpr const char* mqtt_versions[] = {"5", "3.1.1"};
constexpr const char* corrupt_choices[] = {"refuse", "fresh"};
constexpr const char* durabilities[] = {"power-loss", "process-crash"};
constexpr const char* strategies[] = {"none", "fixed-delay", "exponential-delay", "failure-rate"};
constexpr const char* formats[] = {"json"};
constexpr const char* later_source_formats[] = {"csv", "raw", "senml", "protobuf", "sparkplug"};
constexpr const char* later_sink_formats[] = {"csv", "raw"};
constexpr const char* acknowledgements[] = {"checkpoint", "journal"};
constexpr const char* retained_choices[] = {"use", "skip"};
constexpr const char* unsynchronised_choices[] = {"use", "wait", "tag"};
constexpr const char* evictions[] = {"reject", "oldest", "emit"};
constexpr const char* dead_letter_full_choices[] = {"oldest", "newest", "hold"};
constexpr const char* late_choices[] = {"drop", "side", "dead-letter"};
constexpr const char* time_choices[] = {"event", "processing"};
constexpr const char* shed_policies[] = {"oldest", "newest", "sample"};
constexpr const char* deliveries[] = {"exactly-once", "at-most-once"};
constexpr const char* later_deliveries[] = {"immediate"};

constexpr Option control_options[] = {
    {.key = "mqtt",
     .type = Text,
     .member = member<&ControlSpec::mqtt>,
     .required = true,
     .documentation = "The broker, by its name under `[mqtt]`.",
     .example = "mqtt = \"local\""},
    {.key = "topic",
     .type = Text,
     .member = member<&ControlSpec::topic>,
     .required = true,
     .minimum = "1",
     .maximum = "200",
     .documentation =
         "Commands are taken here and answered on the topic with `/answer` behind it. Whoever may publish here may ask: the "
         "broker's access rules are the only lock.",
     .example = "topic = \"gateways/gw-17/control\"",
     .check = check_control_topic},
};

constexpr Section control_section = {
    .header = "[agent.control]",
    .documentation = "Commands over MQTT: `checkpoint`, or `checkpoint PIPELINE`. Off unless this table is written.",
    .options = control_options,
    .given = member<&ControlSpec::given>,
};

constexpr Option agent_options[] = {
    {.key = "name",
     .type = Name,
     .member = member<&AgentSpec::name>,
     .standard_note = "the host's name",
     .documentation = "Names this gateway: in the MQTT client ids, the status and the ids of results.",
     .example = "name = \"gw-17\""},
    {.key = "state_dir",
     .type = Text,
     .member = member<&AgentSpec::state_dir>,
     .standard = "/var/lib/weir",
     .minimum = "1",
     .maximum = "1024",
     .documentation =
         "Directory of the state: the checkpoints, the lock and the control socket. One agent each. A relative path begins at "
         "the directory that weir is started in.",
     .example = "state_dir = \"/var/lib/weir\""},
    {.key = "on_corrupt",
     .type = Choice,
     .member = member<&AgentSpec::on_corrupt>,
     .standard = "refuse",
     .choices = corrupt_choices,
     .documentation = "What a start does when no retained checkpoint is sound, or the database itself is damaged. `refuse`: it "
                      "says so and ends "
                      "with exit code 65, so that somebody can look. `fresh`: it keeps the file under another name, raises an "
                      "alarm and begins "
                      "empty.",
     .example = "on_corrupt = \"fresh\""},
    {.key = "memory_limit",
     .type = Size,
     .member = member<&AgentSpec::memory_limit>,
     .place = member<&AgentSpec::memory_limit_at>,
     .standard = "32MiB",
     .minimum = "1MiB",
     .maximum = "64GiB",
     .documentation =
         "A configuration that needs more memory than this is refused before anything runs; `weir plan` shows the bill.",
     .example = "memory_limit = \"8MiB\""},
    {.key = "log_level",
     .type = Choice,
     .member = member<&AgentSpec::log_level>,
     .standard = "info",
     .choices = log_levels,
     .documentation = "The least important messages that are still logged.",
     .example = "log_level = \"notice\""},
    {.key = "watchdog",
     .type = Duration,
     .member = member<&AgentSpec::watchdog>,
     .place = member<&AgentSpec::watchdog_at>,
     .standard = "0s",
     .maximum = "1h",
     .documentation =
         "An agent some part of which makes no progress for so long ends itself with SIGABRT, after it has logged which part "
         "that is; whoever supervises it starts it again. For the storage and journal threads it is the largest "
         "`checkpoint.timeout` if that is longer, for a slow disk is no hang. `0s` for off: systemd and `weir supervise` "
         "have a watchdog of their own (`WATCHDOG_USEC`), which is honoured whatever stands here.",
     .example = "watchdog = \"30s\""},
    {.key = "control",
     .type = Table,
     .member = member<&AgentSpec::control>,
     .section = &control_section,
     .only_if_written = true,
     .documentation = "Commands over MQTT.",
     .example = "control = { mqtt = \"local\", topic = \"gateways/gw-17/control\" }"},
};

constexpr Section agent_section = {
    .header = "[agent]",
    .documentation = "The process as a whole.",
    .options = agent_options,
    .at = member<&AgentSpec::at>,
};

constexpr Option mqtt_options[] = {
    {.key = "url",
     .type = Text,
     .member = member<&MqttSpec::url>,
     .required = true,
     .minimum = "1",
     .maximum = "1024",
     .documentation = "The broker: `mqtt://HOST` or `mqtt://HOST:PORT`; the port is 1883 if none is given.",
     .example = "url = \"mqtt://127.0.0.1:1883\"",
     .check = check_url},
    {.key = "mqtt",
     .type = Choice,
     .member = member<&MqttSpec::mqtt>,
     .standard = "5",
     .choices = mqtt_versions,
     .documentation =
         "The protocol's version. `3.1.1` has no message properties: results then carry no `weir-id` outside the payload.",
     .example = "mqtt = \"3.1.1\""},
    {.key = "client_id",
     .type = Text,
     .member = member<&MqttSpec::client_id>,
     .standard_note = "`agent.name`",
     .minimum = "1",
     .maximum = "128",
     .documentation =
         "Begins the client ids; the pipeline's name follows. It must stay the same, for the broker keeps the session by it.",
     .example = "client_id = \"gw-17\""},
    {.key = "username",
     .type = Text,
     .member = member<&MqttSpec::username>,
     .maximum = "1024",
     .documentation = "The user at the broker.",
     .example = "username = \"gateway\""},
    {.key = "password",
     .type = Text,
     .member = member<&MqttSpec::password>,
     .maximum = "1024",
     .documentation = "The password. Better in `password_file`: a configuration that everybody can read is warned about.",
     .example = "password = \"secret\"",
     .check = check_password},
    {.key = "password_file",
     .type = Text,
     .member = member<&MqttSpec::password_file>,
     .minimum = "1",
     .maximum = "1024",
     .documentation =
         "A file whose first line is the password. A relative path begins at the directory that weir is started in, one that "
         "begins with `$CREDENTIALS_DIRECTORY/` where systemd puts the unit's credentials (`LoadCredential=`).",
     .example = "password_file = \"/etc/weir/broker.password\""},
    {.key = "keepalive",
     .type = Duration,
     .member = member<&MqttSpec::keepalive>,
     .standard = "60s",
     .minimum = "5s",
     .maximum = "65535s",
     .range_reason = "MQTT counts it in seconds, in 16 bits",
     .documentation = "How long the line may be silent before a ping asks whether the broker is there.",
     .example = "keepalive = \"60s\""},
    {.key = "session_expiry",
     .type = Duration,
     .member = member<&MqttSpec::session_expiry>,
     .standard = "7d",
     .minimum = "1min",
     .maximum = "49710d",
     .range_reason = "the broker's session is what is replayed after an outage",
     .documentation =
         "How long the broker keeps the session, and with it what was not acknowledged, while the agent is away (MQTT 5).",
     .example = "session_expiry = \"7d\""},
    {.key = "max_packet_size",
     .type = Size,
     .member = member<&MqttSpec::max_packet_size>,
     .standard = "16MiB",
     .minimum = "1KiB",
     .maximum = "256MB",
     .documentation = "The broker is told not to send larger packets (MQTT 5). It bounds the library's memory.",
     .example = "max_packet_size = \"256KiB\""},
};

constexpr Section mqtt_section = {
    .header = "[mqtt.NAME]",
    .documentation = "A broker. Sources and sinks refer to it by NAME.",
    .options = mqtt_options,
    .at = member<&MqttSpec::at>,
    .name = member<&MqttSpec::name>,
    .check = check_mqtt,
};

constexpr const char* trigger_modes[] = {"any", "all"};
constexpr const char* age_actions[] = {"alarm", "hold", "restart"};

constexpr Option checkpoint_options[] = {
    {.key = "interval",
     .type = Duration,
     .member = member<&CheckpointSpec::interval>,
     .standard = "5s",
     .minimum = "0s",
     .maximum = "1d",
     .documentation = "Time between two checkpoints; `0s`: no timer, only the other triggers.",
     .example = "interval = \"5s\""},
    {.key = "min_pause",
     .type = Duration,
     .member = member<&CheckpointSpec::min_pause>,
     .standard = "500ms",
     .minimum = "0s",
     .maximum = "1h",
     .documentation = "From the end of one checkpoint to the begin of the next at least this long.",
     .example = "min_pause = \"500ms\""},
    {.key = "skip_clean",
     .type = Boolean,
     .member = member<&CheckpointSpec::skip_clean>,
     .standard = "true",
     .documentation = "When the interval is over and nothing has changed, wait for the first change.",
     .example = "skip_clean = false"},
    {.key = "mode",
     .type = Choice,
     .member = member<&CheckpointSpec::mode>,
     .standard = "any",
     .choices = trigger_modes,
     .documentation =
         "`any`: the trigger that comes first fires. `all`: all that are set must hold, the interval among them. What "
         "bounds memory (`dirty_bytes`, `unacked`, a full outbox) fires in either case.",
     .example = "mode = \"all\""},
    {.key = "records",
     .type = Integer,
     .member = member<&CheckpointSpec::records>,
     .standard = "0",
     .minimum = "0",
     .documentation = "A checkpoint after this many records; 0: records do not count.",
     .example = "records = 10000"},
    {.key = "bytes",
     .type = Size,
     .member = member<&CheckpointSpec::bytes>,
     .standard = "0B",
     .minimum = "0B",
     .documentation = "A checkpoint after this much payload; 0: it does not count.",
     .example = "bytes = \"1MiB\""},
    {.key = "dirty_keys",
     .type = Integer,
     .member = member<&CheckpointSpec::dirty_keys>,
     .standard = "0",
     .minimum = "0",
     .documentation = "A checkpoint when the state of this many keys has changed, over all steps; 0: they do not count.",
     .example = "dirty_keys = 2000"},
    {.key = "dirty_bytes",
     .type = Size,
     .member = member<&CheckpointSpec::dirty_bytes>,
     .standard_note = "80 % of the snapshot that `weir plan` prints",
     .minimum = "1B",
     .documentation =
         "A checkpoint at once when this much state has changed. It cannot be switched off: it bounds what is lost.",
     .example = "dirty_bytes = \"256KiB\""},
    {.key = "outbox_rows",
     .type = Integer,
     .member = member<&CheckpointSpec::outbox_rows>,
     .standard = "0",
     .minimum = "0",
     .documentation = "A checkpoint when this many results wait for one; 0: they do not count.",
     .example = "outbox_rows = 500"},
    {.key = "event_time",
     .type = Duration,
     .member = member<&CheckpointSpec::event_time>,
     .standard = "0s",
     .minimum = "0s",
     .maximum = "365d",
     .documentation =
         "A checkpoint when the watermark has moved this far and the windows that it closed have been handed on, for "
         "then there is least to save; `0s`: it does not count.",
     .example = "event_time = \"1min\""},
    {.key = "when",
     .type = Expression,
     .member = member<&CheckpointSpec::when>,
     .documentation =
         "A checkpoint when this is true. It may use, all of them int: `since_ms`, `since_attempt_ms`, "
         "`last_duration_ms`, `failures`, `records`, `bytes`, `unacked`, `dirty_keys`, `dirty_bytes`, `outbox_rows`, "
         "`event_time_ms`.",
     .example = "when = \"since_ms > 60000 and dirty_keys > 0\""},
    {.key = "trigger",
     .type = Text,
     .member = member<&CheckpointSpec::trigger>,
     .minimum = "1",
     .maximum = "63",
     .documentation = "A trigger that an engineer's program has registered under this name.",
     .example = "trigger = \"on-battery\"",
     .check = check_trigger},
    {.key = "options",
     .type = Table,
     .member = member<&CheckpointSpec::options>,
     .only_if_written = true,
     .documentation = "The options of `trigger`, as it declares them.",
     .example = "options = { below = 20 }"},
    {.key = "timeout",
     .type = Duration,
     .member = member<&CheckpointSpec::timeout>,
     .standard = "30s",
     .minimum = "100ms",
     .maximum = "1h",
     .documentation = "A checkpoint that takes longer is interrupted and tried again; nothing is acknowledged meanwhile.",
     .example = "timeout = \"30s\""},
    {.key = "tolerable_failures",
     .type = Integer,
     .member = member<&CheckpointSpec::tolerable_failures>,
     .standard_note = "unlimited",
     .minimum = "0",
     .documentation = "So many checkpoints in a row may fail; after one more the agent ends and recovers.",
     .example = "tolerable_failures = 20"},
    {.key = "max_age",
     .type = Duration,
     .member = member<&CheckpointSpec::max_age>,
     .standard = "0s",
     .minimum = "0s",
     .maximum = "365d",
     .documentation =
         "How long a change may wait for a checkpoint that succeeds, before `on_max_age`; `0s`: as long as it takes.",
     .example = "max_age = \"5min\""},
    {.key = "on_max_age",
     .type = Choice,
     .member = member<&CheckpointSpec::on_max_age>,
     .standard = "alarm",
     .choices = age_actions,
     .documentation = "`alarm`: the log and `weir status` say so. `hold`: nothing more is read until a checkpoint succeeds. "
                      "`restart`: the pipeline begins anew from its last checkpoint, by its restart strategy.",
     .example = "on_max_age = \"hold\""},
    {.key = "unacked",
     .type = Integer,
     .member = member<&CheckpointSpec::unacked>,
     .standard = "0",
     .minimum = "0",
     .maximum = "65535",
     .documentation =
         "A checkpoint when this many messages wait for their acknowledgement; 0: half of the source's `max_unacked`.",
     .example = "unacked = 500"},
    {.key = "retained",
     .type = Integer,
     .member = member<&CheckpointSpec::retained>,
     .standard = "2",
     .minimum = "1",
     .maximum = "16",
     .documentation = "So many checkpoints can each be loaded whole: when the newest is damaged, the one before it is used. "
                      "More of them take "
                      "room on the disk, not more writing.",
     .example = "retained = 2"},
    {.key = "durability",
     .type = Choice,
     .member = member<&CheckpointSpec::durability>,
     .standard = "power-loss",
     .choices = durabilities,
     .documentation =
         "What a completed checkpoint survives: a power cut, or only a crash of the process (fewer flushes to the disk).",
     .example = "durability = \"power-loss\""},
};

constexpr Section checkpoint_section = {
    .header = "[pipeline.checkpoint]",
    .documentation = "When checkpoints are taken: [checkpoints.md](checkpoints.md).",
    .options = checkpoint_options,
    .at = member<&CheckpointSpec::at>,
};

constexpr Option restart_options[] = {
    {.key = "strategy",
     .type = Choice,
     .member = member<&RestartSpec::strategy>,
     .standard = "exponential-delay",
     .choices = strategies,
     .documentation = "What to do when the pipeline fails.",
     .example = "strategy = \"failure-rate\""},
    {.key = "max_failures",
     .type = Integer,
     .member = member<&RestartSpec::max_failures>,
     .standard = "1",
     .minimum = "1",
     .maximum = "100",
     .documentation = "`failure-rate`: more failures than this within `interval` end the pipeline.",
     .example = "max_failures = 5"},
    {.key = "attempts",
     .type = Integer,
     .member = member<&RestartSpec::attempts>,
     .standard = "1",
     .minimum = "1",
     .maximum = "1000000",
     .documentation = "`fixed-delay`: how often it is tried.",
     .example = "attempts = 3"},
    {.key = "interval",
     .type = Duration,
     .member = member<&RestartSpec::interval>,
     .standard = "1min",
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "`failure-rate`: the time over which failures are counted.",
     .example = "interval = \"5min\""},
    {.key = "delay",
     .type = Duration,
     .member = member<&RestartSpec::delay>,
     .standard = "1s",
     .minimum = "0s",
     .maximum = "1d",
     .documentation = "`failure-rate`, `fixed-delay`: the pause before the next try.",
     .example = "delay = \"1s\""},
    {.key = "initial_delay",
     .type = Duration,
     .member = member<&RestartSpec::initial_delay>,
     .standard = "1s",
     .minimum = "1ms",
     .maximum = "1d",
     .documentation = "`exponential-delay`: the pause before the first try.",
     .example = "initial_delay = \"2s\""},
    {.key = "max_delay",
     .type = Duration,
     .member = member<&RestartSpec::max_delay>,
     .standard = "1min",
     .minimum = "1ms",
     .maximum = "1d",
     .documentation = "`exponential-delay`: no pause is longer.",
     .example = "max_delay = \"5min\""},
    {.key = "multiplier",
     .type = Number,
     .member = member<&RestartSpec::multiplier>,
     .standard = "1.5",
     .minimum = "1.001",
     .maximum = "1000",
     .documentation = "`exponential-delay`: each pause is so many times the one before.",
     .example = "multiplier = 2.0"},
    {.key = "jitter",
     .type = Number,
     .member = member<&RestartSpec::jitter>,
     .standard = "0.1",
     .minimum = "0",
     .maximum = "1",
     .documentation = "`exponential-delay`: by up to this share a pause is longer or shorter, at random.",
     .example = "jitter = 0.2"},
    {.key = "reset_threshold",
     .type = Duration,
     .member = member<&RestartSpec::reset_threshold>,
     .standard = "1h",
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "`exponential-delay`: after so long without a failure the pauses begin anew.",
     .example = "reset_threshold = \"10min\""},
    {.key = "attempts_before_reset",
     .type = Integer,
     .member = member<&RestartSpec::attempts_before_reset>,
     .standard = "0",
     .minimum = "0",
     .maximum = "1000000",
     .documentation =
         "`exponential-delay`: more failures than this without `reset_threshold` in between end the pipeline. 0: no limit.",
     .example = "attempts_before_reset = 20"},
    {.key = "ceiling",
     .type = Integer,
     .member = member<&RestartSpec::ceiling>,
     .standard = "10",
     .minimum = "0",
     .maximum = "100",
     .documentation =
         "`exponential-delay`: more failures than this within ten minutes end the pipeline. 0: it is tried for ever.",
     .example = "ceiling = 20"},
};

constexpr Section restart_section = {
    .header = "[pipeline.restart]",
    .documentation =
        "What happens when the pipeline fails, or the process while it runs; other pipelines run on: "
        "[operations.md](operations.md). A pipeline that is not started again has FAILED, until `weir resume`.",
    .options = restart_options,
    .at = member<&RestartSpec::at>,
    .check = check_restart,
};

constexpr Option dead_letter_options[] = {
    {.key = "max_rows",
     .type = Integer,
     .member = member<&DeadLetterSpec::max_rows>,
     .standard = "10000",
     .minimum = "1",
     .maximum = "10000000",
     .documentation = "At most this many are kept.",
     .example = "max_rows = 10000"},
    {.key = "max_bytes",
     .type = Size,
     .member = member<&DeadLetterSpec::max_bytes>,
     .standard = "4MiB",
     .minimum = "1KiB",
     .maximum = "64GiB",
     .documentation = "At most this much of payloads is kept.",
     .example = "max_bytes = \"4MiB\""},
    {.key = "max_payload",
     .type = Size,
     .member = member<&DeadLetterSpec::max_payload>,
     .standard = "4KiB",
     .minimum = "0B",
     .maximum = "1MiB",
     .documentation = "How much of one payload is kept. What was cut can be shown, not replayed.",
     .example = "max_payload = \"4KiB\""},
    {.key = "full",
     .type = Choice,
     .member = member<&DeadLetterSpec::full>,
     .standard = "oldest",
     .choices = dead_letter_full_choices,
     .documentation = "What happens when there is one more: the oldest go (`oldest`), the new one is counted but not kept "
                      "(`newest`), or nothing more is acknowledged, and the broker keeps the messages, until some are purged "
                      "(`hold`).",
     .example = "full = \"hold\""},
};

constexpr Section dead_letter_section = {
    .header = "[pipeline.dead_letters]",
    .documentation = "Messages that could not be used are set aside with the reason, within these bounds.",
    .options = dead_letter_options,
};

constexpr Option event_time_options[] = {
    {.key = "field",
     .type = Text,
     .member = member<&EventTimeSpec::field>,
     .required = true,
     .minimum = "1",
     .maximum = "63",
     .documentation = "The field that says when a record happened: of type `time`, or `arrival`.",
     .example = "field = \"ts\""},
    {.key = "max_delay",
     .type = Duration,
     .member = member<&EventTimeSpec::max_delay>,
     .standard = "0s",
     .minimum = "0s",
     .maximum = "365d",
     .documentation = "How much later than its successors a record may come and still be counted.",
     .example = "max_delay = \"2s\""},
    {.key = "idle",
     .type = Duration,
     .member = member<&EventTimeSpec::idle>,
     .standard = "0s",
     .minimum = "0s",
     .maximum = "365d",
     .documentation = "After this long without a record the source shows as idle in `weir status`; `0s`: never. As in Flink, "
                      "the watermark of "
                      "a single source stays where it is meanwhile: open windows close when a later record comes.",
     .example = "idle = \"10s\""},
    {.key = "per",
     .type = Text,
     .member = member<&EventTimeSpec::per>,
     .minimum = "1",
     .maximum = "63",
     .documentation =
         "A field whose values have clocks of their own: a device that is slow, or wrong about the time, harms only "
         "itself. Steps that have it among their `key_by` follow these clocks; all others see the least of the devices "
         "that are not idle.",
     .example = "per = \"device\""},
    {.key = "max_devices",
     .type = Integer,
     .member = member<&EventTimeSpec::max_devices>,
     .standard = "1000",
     .minimum = "1",
     .maximum = "1000000",
     .documentation =
         "Clocks that there is room for with `per`; the message of a device that finds none becomes a dead letter.",
     .example = "max_devices = 200"},
    {.key = "max_future",
     .type = Duration,
     .member = member<&EventTimeSpec::max_future>,
     .standard = "0s",
     .maximum = "3650d",
     .documentation =
         "A record whose event time is further ahead of this machine's clock becomes a dead letter and does not move the "
         "watermark, so that one device with a wrong clock cannot make all others late. 0: no limit, a warning only. "
         "Needs a clock that is right; while it shows a year before 2024 there is no limit.",
     .example = "max_future = \"1h\""},
};

constexpr Section event_time_section = {
    .header = "[pipeline.source.event_time]",
    .documentation = "The clock that windows go by: the time in the records.",
    .options = event_time_options,
    .given = member<&EventTimeSpec::given>,
};

constexpr Option journal_options[] = {
    {.key = "size",
     .type = Size,
     .member = member<&SourceJournalSpec::size>,
     .standard = "16MiB",
     .minimum = "256KiB",
     .maximum = "16GiB",
     .documentation =
         "The file that is reserved in the state directory, once. A group of messages takes whole blocks of 4 KiB. "
         "The oldest input is written over, but never what a retained checkpoint needs.",
     .example = "size = \"64MiB\""},
    {.key = "linger",
     .type = Duration,
     .member = member<&SourceJournalSpec::linger>,
     .standard = "100ms",
     .minimum = "0s",
     .maximum = "10s",
     .documentation = "How long a message may wait for others to be written with it. A power cut loses at most so much of what "
                      "came at QoS 0; at QoS 1 it comes again.",
     .example = "linger = \"20ms\""},
    {.key = "keep",
     .type = Duration,
     .member = member<&SourceJournalSpec::keep>,
     .standard = "1h",
     .minimum = "0s",
     .maximum = "365d",
     .documentation =
         "How far back `weir replay --journal` shall reach. The ring keeps as much as it can in any case; when that "
         "is less, the log says so.",
     .example = "keep = \"1d\""},
};

constexpr Section journal_section = {
    .header = "[pipeline.source.journal]",
    .documentation = "A recording of raw input, for `ack = \"journal\"`.",
    .options = journal_options,
    .at = member<&SourceJournalSpec::at>,
    .given = member<&SourceJournalSpec::given>,
};

constexpr Option shed_options[] = {
    {.key = "policy",
     .type = Choice,
     .member = member<&ShedSpec::policy>,
     .standard = "oldest",
     .choices = shed_policies,
     .documentation =
         "`oldest`: all messages that wait, so that the pipeline goes on with the newest. `newest`: only what comes while the "
         "pipeline has no room for results. `sample`: all that wait but one of `one_of`.",
     .example = "policy = \"sample\""},
    {.key = "after",
     .type = Duration,
     .member = member<&ShedSpec::after>,
     .standard = "5s",
     .minimum = "2s",
     .maximum = "1h",
     .range_reason = "whether input waits is looked at once a second",
     .documentation = "Messages must have waited for so long, without a break, before any is shed.",
     .example = "after = \"30s\""},
    {.key = "one_of",
     .type = Integer,
     .member = member<&ShedSpec::one_of>,
     .standard = "10",
     .minimum = "2",
     .maximum = "1000000",
     .documentation = "Of `sample`: one message of so many is taken.",
     .example = "one_of = 10"},
};

constexpr Section shed_section = {
    .header = "[pipeline.source.shed]",
    .documentation =
        "What is left out when the pipeline cannot keep up with its input. Without this table nothing is: messages wait at the "
        "broker. Each is counted, as `shed`. See [overload.md](overload.md).",
    .options = shed_options,
    .at = member<&ShedSpec::at>,
    .given = member<&ShedSpec::given>,
};

constexpr Option source_options[] = {
    {.key = "name",
     .type = Name,
     .member = member<&SourceSpec::name>,
     .place = member<&SourceSpec::name_at>,
     .standard = "source",
     .documentation =
         "Names the source for `from`, `union` and `join`, where a pipeline has several. They share one connection to "
         "the broker: what concerns it stands in the first one.",
     .example = "name = \"env\""},
    {.key = "mqtt",
     .type = Text,
     .member = member<&SourceSpec::mqtt>,
     .documentation =
         "The broker, by its name under `[mqtt]`. The first source of a pipeline needs it, the others leave it out.",
     .example = "mqtt = \"local\""},
    {.key = "topics",
     .type = TextList,
     .member = member<&SourceSpec::topics>,
     .required = true,
     .minimum = "1",
     .maximum = "64",
     .documentation = "Topic filters; `+`, `#` and `$share/GROUP/` as in MQTT. No topic may match two of them.",
     .example = "topics = [\"sensors/+/env\"]",
     .check = check_topics},
    {.key = "format",
     .type = Choice,
     .member = member<&SourceSpec::format>,
     .standard = "json",
     .choices = formats,
     .later = later_source_formats,
     .documentation = "How payloads are written.",
     .example = "format = \"json\""},
    {.key = "fields",
     .type = Fields,
     .member = whole_section<MemberType::Source>,
     .required = true,
     .documentation = "The record: a name for each value, and where it comes from; see [Fields](#fields).",
     .example = "fields = { device = \"topic[1]\", temperature = \"float\", ts = \"time(ms)\" }"},
    {.key = "event_time",
     .type = Table,
     .member = member<&SourceSpec::event_time>,
     .section = &event_time_section,
     .documentation = "The records' own time. Windows need it.",
     .example = "event_time = { field = \"ts\", max_delay = \"2s\" }"},
    {.key = "qos",
     .type = Integer,
     .member = member<&SourceSpec::qos>,
     .standard = "1",
     .minimum = "0",
     .maximum = "1",
     .range_reason =
         "QoS 2 loses a message when the agent crashes between PUBREC and PUBREL; use 1, with which each message counts "
         "exactly once",
     .documentation = "1: every message counts exactly once. 0: at most once; what is sent during an outage is lost.",
     .example = "qos = 1",
     .check = check_source_qos},
    {.key = "ack",
     .type = Choice,
     .member = member<&SourceSpec::ack>,
     .standard = "checkpoint",
     .choices = acknowledgements,
     .documentation = "When messages are acknowledged: after the checkpoint that covers them is durable, or already when they "
                      "stand in a journal of raw input, from which a start replays what follows the last checkpoint. See "
                      "[the journal](journal.md).",
     .example = "ack = \"journal\""},
    {.key = "journal",
     .type = Table,
     .member = member<&SourceSpec::journal>,
     .section = &journal_section,
     .documentation = "The journal of `ack = \"journal\"`.",
     .example = "journal = { size = \"64MiB\", linger = \"50ms\" }"},
    {.key = "shed",
     .type = Table,
     .member = member<&SourceSpec::shed>,
     .section = &shed_section,
     .only_if_written = true,
     .documentation =
         "What is left out when the pipeline cannot keep up; needs `delivery = \"at-most-once\"` at the sink. Off unless this "
         "table is written.",
     .example = "shed = { policy = \"oldest\", after = \"30s\" }"},
    {.key = "retained",
     .type = Choice,
     .member = member<&SourceSpec::retained>,
     .standard = "use",
     .choices = retained_choices,
     .documentation = "Whether retained messages that come at subscribing are records.",
     .example = "retained = \"skip\""},
    {.key = "unsynchronised_clock",
     .type = Choice,
     .member = member<&SourceSpec::unsynchronised_clock>,
     .standard = "use",
     .choices = unsynchronised_choices,
     .documentation =
         "What is done as long as nobody has told this machine the time. `use`: arrival times are taken from the clock as it "
         "is. "
         "`wait`: nothing is read until it is synchronised; messages wait at the broker. `tag`: records have a field "
         "`clock_unsynchronised`, which is true for those that arrived meanwhile. See [event-time.md](event-time.md).",
     .example = "unsynchronised_clock = \"wait\""},
    {.key = "max_unacked",
     .type = Integer,
     .member = member<&SourceSpec::max_unacked>,
     .standard = "1000",
     .minimum = "20",
     .maximum = "65535",
     .documentation = "The broker sends at most this many messages ahead of the acknowledgements (MQTT's receive maximum).",
     .example = "max_unacked = 1000"},
    {.key = "max_message",
     .type = Size,
     .member = member<&SourceSpec::max_message>,
     .standard = "64KiB",
     .minimum = "64B",
     .maximum = "16MiB",
     .documentation = "Larger payloads become dead letters.",
     .example = "max_message = \"64KiB\""},
};

constexpr Section source_section = {
    .header = "[pipeline.source]",
    .documentation =
        "Where the pipeline's records come from; `[[pipeline.source]]` for several. Guarantee: exactly once into the state at "
        "QoS 1.",
    .options = source_options,
    .at = member<&SourceSpec::at>,
    .broken = member<&SourceSpec::broken>,
    .check = check_source,
};

constexpr Option window_options[] = {
    {.key = "tumbling",
     .type = Duration,
     .member = member<&WindowOptions::tumbling>,
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "Windows of this length, one after the other, in event time.",
     .example = "tumbling = \"1min\""},
    {.key = "hopping",
     .type = Duration,
     .member = member<&WindowOptions::hopping>,
     .minimum = "1ms",
     .maximum = "365d",
     .documentation =
         "Windows of this length, one beginning `every` so often: they overlap, or leave gaps if `every` is longer.",
     .example = "hopping = \"1min\""},
    {.key = "cumulate",
     .type = Duration,
     .member = member<&WindowOptions::cumulate>,
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "Windows that begin this often and hand on a result `every` so often, until they are so long.",
     .example = "cumulate = \"1d\""},
    {.key = "offset",
     .type = Text,
     .member = member<&WindowOptions::offset>,
     .standard_note = "none",
     .minimum = "1",
     .maximum = "31",
     .documentation =
         "Windows begin at multiples of their length, or of `every` for `hopping`, counted from 1970-01-01, plus this: "
         "a duration, or one behind a minus sign.",
     .example = "offset = \"-8h\"",
     .check = check_window_offset},
    {.key = "time_zone",
     .type = Text,
     .member = member<&WindowOptions::time_zone>,
     .standard_note = "UTC",
     .minimum = "1",
     .maximum = "63",
     .documentation = "Windows are laid out by the clocks of this place, so that a day is 23 or 25 hours long where the clocks "
                      "change: \"Europe/Vienna\", \"+05:30\". Lengths that divide an hour lie the same in every zone.",
     .example = "time_zone = \"Europe/Vienna\""},
    {.key = "emit_every",
     .type = Duration,
     .member = member<&WindowOptions::emit_every>,
     .standard_note = "no early results",
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "Of `tumbling`, `hopping`, `session` and `open`: so often, in the time that the windows go by, a window "
                      "hands on what it has got so far, with a negative `pane`.",
     .example = "emit_every = \"5s\""},
    {.key = "empty",
     .type = Duration,
     .member = member<&WindowOptions::empty>,
     .standard_note = "they are not",
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "Of `tumbling`, `hopping` and `cumulate`: windows of a key without records are handed on as well, for so "
                      "long after the key's last window with records.",
     .example = "empty = \"1h\""},
    {.key = "session",
     .type = Duration,
     .member = member<&WindowOptions::session>,
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "Windows of records of which none is further than this from the next.",
     .example = "session = \"30s\""},
    {.key = "sliding",
     .type = Duration,
     .member = member<&WindowOptions::sliding>,
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "With each record, the aggregates over this much time that ends with it.",
     .example = "sliding = \"1min\""},
    {.key = "count",
     .type = Integer,
     .member = member<&WindowOptions::count>,
     .minimum = "1",
     .maximum = "1000000",
     .documentation = "Windows of so many records of a key, in the order of their arrival.",
     .example = "count = 100"},
    {.key = "open",
     .type = Expression,
     .member = member<&WindowOptions::open>,
     .documentation = "Windows that open with a record for which this is true; with `close`.",
     .example = "open = \"running\""},
    {.key = "close",
     .type = Expression,
     .member = member<&WindowOptions::close>,
     .documentation = "The record for which this is true closes the window that `open` has opened.",
     .example = "close = \"not running\""},
    {.key = "every",
     .type = DurationOrCount,
     .member = member<&WindowOptions::every>,
     .standard_note = "`count`",
     .minimum = "1",
     .documentation = "Of `hopping` and `cumulate`: how often a window begins, or grows. Of `count`: a window of the last "
                      "`count` records fires each time that so many more have come.",
     .example = "every = 10"},
    {.key = "emit_partial",
     .type = Boolean,
     .member = member<&WindowOptions::emit_partial>,
     .standard = "false",
     .documentation = "Of `count`: windows also fire before there are `count` records, and at the end of the input.",
     .example = "emit_partial = true"},
    {.key = "include_close",
     .type = Boolean,
     .member = member<&WindowOptions::include_close>,
     .standard = "true",
     .documentation = "Of `open`: whether the record that closes a window belongs to it.",
     .example = "include_close = false"},
    {.key = "max_records",
     .type = Integer,
     .member = member<&WindowOptions::max_records>,
     .standard = "100",
     .minimum = "1",
     .maximum = "100000",
     .documentation = "Of `sliding`: records that a key keeps; when one more comes the oldest goes, and is counted as evicted.",
     .example = "max_records = 100"},
    {.key = "max_duration",
     .type = Duration,
     .member = member<&WindowOptions::max_duration>,
     .standard_note = "no limit",
     .minimum = "1ms",
     .maximum = "365d",
     .documentation = "Of `session` and `open`: a window is closed exactly this long after its first record, if not before.",
     .example = "max_duration = \"1h\""},
    {.key = "max_sessions",
     .type = Integer,
     .member = member<&WindowOptions::max_sessions>,
     .standard = "4",
     .minimum = "1",
     .maximum = "255",
     .documentation = "Of `session`: sessions that a key can have at a time; `evict` decides about one more.",
     .example = "max_sessions = 8"},
    {.key = "allowed_lateness",
     .type = Duration,
     .member = member<&WindowOptions::allowed_lateness>,
     .standard = "0s",
     .minimum = "0s",
     .maximum = "365d",
     .documentation =
         "A window that has fired is kept for so long; each late record makes it fire again, with the next `pane`.",
     .example = "allowed_lateness = \"10s\""},
    {.key = "late",
     .type = Choice,
     .member = member<&WindowOptions::late>,
     .standard = "drop",
     .choices = late_choices,
     .documentation = "Records that are too late are counted (`drop`), go on at the branch `ID.late` (`side`), or become dead "
                      "letters with the reason `late`.",
     .example = "late = \"side\""},
    {.key = "time",
     .type = Choice,
     .member = member<&WindowOptions::time>,
     .standard = "event",
     .choices = time_choices,
     .documentation = "The time that the windows go by: that in the records, or that of this machine.",
     .example = "time = \"processing\""},
};

constexpr Section window_section = {
    .header = "[pipeline.step.window]",
    .documentation = "The spans of time over which records are aggregated.",
    .options = window_options,
    .at = member<&WindowOptions::at>,
    .check = check_window,
};

constexpr Option step_options[] = {
    {.key = "id",
     .type = Name,
     .member = member<&StepSpec::id>,
     .place = member<&StepSpec::id_at>,
     .documentation = "Names the step. Required where the step keeps state: after a restart the state is found by it.",
     .example = "id = \"per-minute\""},
    {.key = "id_previous",
     .type = Name,
     .member = member<&StepSpec::id_previous>,
     .place = member<&StepSpec::id_previous_at>,
     .documentation =
         "The id that the step had before it was renamed: its stored state is taken over from there. May stay when "
         "that has happened.",
     .example = "id_previous = \"per-min\""},
    {.key = "operator",
     .type = Text,
     .member = member<&StepSpec::custom>,
     .minimum = "1",
     .maximum = "63",
     .documentation = "Verb: an operator that an engineer's program has registered under this name.",
     .example = "operator = \"keyed-average\"",
     .check = check_operator},
    {.key = "options",
     .type = Table,
     .member = member<&StepSpec::options>,
     .only_if_written = true,
     .documentation = "The options of `operator`, as it declares them.",
     .example = "options = { count = 2 }"},
    {.key = "filter",
     .type = Expression,
     .member = member<&StepSpec::filter>,
     .documentation = "Verb: records for which the expression is not true go no further.",
     .example = "filter = \"temperature between -40 and 125\""},
    {.key = "map",
     .type = ExpressionTable,
     .member = member<&StepSpec::map>,
     .documentation = "Verb: adds fields, or replaces those that there are.",
     .example = "map = { fahrenheit = \"temperature * 1.8 + 32\" }"},
    {.key = "select",
     .type = TextList,
     .member = member<&StepSpec::select>,
     .minimum = "1",
     .maximum = "64",
     .documentation = "Verb: only these fields go on, in this order.",
     .example = "select = [\"device\", \"temperature\"]"},
    {.key = "drop",
     .type = TextList,
     .member = member<&StepSpec::drop>,
     .minimum = "1",
     .maximum = "64",
     .documentation = "Verb: these fields do not go on.",
     .example = "drop = [\"battery\"]"},
    {.key = "rename",
     .type = ExpressionTable,
     .member = member<&StepSpec::rename>,
     .table_of = "names",
     .documentation = "Verb: gives fields other names: `old = \"new\"`. Two names may be swapped.",
     .example = "rename = { t = \"temperature\" }"},
    {.key = "route",
     .type = ExpressionTable,
     .member = member<&StepSpec::route>,
     .documentation =
         "Verb: a record goes into the first branch whose condition is true, and on to the next step if none is. A "
         "branch is read by `from = \"ID.BRANCH\"`.",
     .example = "route = { hot = \"temperature > 80\", cold = \"temperature < 0\" }"},
    {.key = "union",
     .type = TextList,
     .member = member<&StepSpec::unite>,
     .minimum = "2",
     .maximum = "64",
     .documentation =
         "Verb: what comes from these sources, steps and branches goes on as one stream; they have the same fields in "
         "the same order.",
     .example = "union = [\"by-heat.hot\", \"by-heat.cold\"]"},
    {.key = "from",
     .type = Text,
     .member = member<&StepSpec::from>,
     .minimum = "1",
     .maximum = "127",
     .documentation = "What the step reads, where that is not the step before: a source, a step by its id, or a branch, "
                      "`ID.BRANCH`.",
     .example = "from = \"by-heat.hot\""},
    {.key = "window",
     .type = Table,
     .member = member<&StepSpec::window>,
     .section = &window_section,
     .only_if_written = true,
     .documentation =
         "Verb: gathers records by event time; with `aggregate`. Each result has the fields of `key_by`, the aggregates, and "
         "`window_start` and `window_end`, in ms since 1970.",
     .example = "window = { tumbling = \"1min\" }"},
    {.key = "key_by",
     .type = TextList,
     .member = member<&StepSpec::key_by>,
     .minimum = "1",
     .maximum = "16",
     .documentation =
         "The fields whose values make the key of a step that keeps state; without it there is one key for all records.",
     .example = "key_by = [\"device\"]",
     .check = check_key_by},
    {.key = "aggregate",
     .type = AggregateTable,
     .member = member<&StepSpec::aggregate>,
     .documentation = "What a closed window says: a call such as `count()`, `avg(x)`, `percentile(x, 95)`; all are in "
                      "[aggregates.md](aggregates.md). With a filter only the records count for which it is true: "
                      "`hot = { value = \"count()\", filter = \"temperature > 80\" }`.",
     .example = "aggregate = { avg_t = \"avg(temperature)\", n = \"count()\" }"},
    {.key = "max_keys",
     .type = Integer,
     .member = member<&StepSpec::max_keys>,
     .standard = "1000",
     .minimum = "1",
     .maximum = "10000000",
     .documentation = "Keys that can have open windows at a time; their room is reserved at the start. It may grow between two "
                      "runs, but not "
                      "shrink while the step's state is kept.",
     .example = "max_keys = 1000"},
    {.key = "evict",
     .type = Choice,
     .member = member<&StepSpec::evict>,
     .standard = "reject",
     .choices = evictions,
     .documentation =
         "When there is no room for a new key: the record becomes a dead letter (`reject`), or the oldest key goes, without "
         "(`oldest`) or with (`emit`) its result.",
     .example = "evict = \"oldest\""},
};

constinit Section step_section = {
    .header = "[[pipeline.step]]",
    .documentation =
        "One step has one verb; [steps.md](steps.md) and [windows.md](windows.md) have examples of each. Records go through "
        "the steps "
        "in their order.",
    .options = step_options,
    .at = member<&StepSpec::at>,
    .broken = member<&StepSpec::broken>,
    .check = check_step,
};

constexpr Option outbox_options[] = {
    {.key = "memory",
     .type = Size,
     .member = member<&OutboxSpec::memory>,
     .standard = "256KiB",
     .minimum = "4KiB",
     .maximum = "1GiB",
     .documentation = "Room for the results between two checkpoints; when it is full, a checkpoint is taken.",
     .example = "memory = \"256KiB\""},
    {.key = "max_bytes",
     .type = Size,
     .member = member<&OutboxSpec::max_bytes>,
     .standard = "16MiB",
     .minimum = "4KiB",
     .maximum = "64GiB",
     .documentation = "Room on disk for results that wait for the broker; when it is full, the pipeline waits.",
     .example = "max_bytes = \"16MiB\""},
};

constexpr Section outbox_section = {
    .header = "[pipeline.sink.outbox]",
    .documentation = "Results are stored with the checkpoint and published after it.",
    .options = outbox_options,
};

constexpr Option sink_options[] = {
    {.key = "mqtt",
     .type = Text,
     .member = member<&SinkSpec::mqtt>,
     .required = true,
     .documentation = "The broker, by its name under `[mqtt]`.",
     .example = "mqtt = \"local\""},
    {.key = "from",
     .type = Text,
     .member = member<&SinkSpec::from>,
     .minimum = "1",
     .maximum = "127",
     .documentation = "What is sent, where that is not the last step: a source, a step by its id, or a branch, `ID.BRANCH`.",
     .example = "from = \"alarms\""},
    {.key = "topic",
     .type = Text,
     .member = member<&SinkSpec::topic>,
     .required = true,
     .minimum = "1",
     .maximum = "1024",
     .documentation = "The topic of a result; `{field}` stands for a field's value.",
     .example = "topic = \"alerts/{device}\"",
     .check = check_topic_template},
    {.key = "format",
     .type = Choice,
     .member = member<&SinkSpec::format>,
     .standard = "json",
     .choices = formats,
     .later = later_sink_formats,
     .documentation = "How payloads are written.",
     .example = "format = \"json\""},
    {.key = "delivery",
     .type = Choice,
     .member = member<&SinkSpec::delivery>,
     .standard = "exactly-once",
     .choices = deliveries,
     .later = later_deliveries,
     .documentation = "`exactly-once`: into the outbox once; a crash may send a message again, with the same `weir-id`. "
                      "`at-most-once`: the same, of the messages that the source's `shed` leaves.",
     .example = "delivery = \"exactly-once\""},
    {.key = "qos",
     .type = Integer,
     .member = member<&SinkSpec::qos>,
     .standard = "1",
     .minimum = "0",
     .maximum = "1",
     .range_reason = "use 1: the receiver tells a repeated message by its `weir-id`",
     .documentation = "1: a result leaves the outbox when the broker has acknowledged it. 0: when it was sent.",
     .example = "qos = 1",
     .check = check_sink_qos},
    {.key = "retain",
     .type = Boolean,
     .member = member<&SinkSpec::retain>,
     .standard = "false",
     .documentation = "Whether the broker keeps the newest result of each topic.",
     .example = "retain = true"},
    {.key = "id_field",
     .type = Text,
     .member = member<&SinkSpec::id_field>,
     .minimum = "1",
     .maximum = "63",
     .documentation = "A payload field that repeats the `weir-id`, for receivers that do not see message properties.",
     .example = "id_field = \"weir_id\""},
    {.key = "outbox",
     .type = Table,
     .member = member<&SinkSpec::outbox>,
     .section = &outbox_section,
     .documentation = "The bounds of the results that wait.",
     .example = "outbox = { memory = \"256KiB\", max_bytes = \"16MiB\" }"},
};

constexpr Section sink_section = {
    .header = "[pipeline.sink]",
    .documentation =
        "Where the results go. Guarantee: exactly once into the outbox, at least once onto the wire, each with its id.",
    .options = sink_options,
    .at = member<&SinkSpec::at>,
    .check = check_sink,
};

constexpr Option pipeline_options[] = {
    {.key = "name",
     .type = Name,
     .member = member<&PipelineSpec::name>,
     .place = member<&PipelineSpec::name_at>,
     .required = true,
     .documentation = "Names the pipeline and its state.",
     .example = "name = \"overheat\""},
    {.key = "checkpoint",
     .type = Table,
     .member = member<&PipelineSpec::checkpoint>,
     .section = &checkpoint_section,
     .documentation = "When checkpoints are taken.",
     .example = "checkpoint = { interval = \"5s\", records = 10000 }"},
    {.key = "restart",
     .type = Table,
     .member = member<&PipelineSpec::restart>,
     .section = &restart_section,
     .documentation = "What happens when the pipeline fails.",
     .example = "restart = { strategy = \"fixed-delay\", attempts = 3 }"},
    {.key = "dead_letters",
     .type = Table,
     .member = member<&PipelineSpec::dead_letters>,
     .section = &dead_letter_section,
     .documentation = "How much of what could not be used is kept.",
     .example = "dead_letters = { max_rows = 10000 }"},
    {.key = "poison_after",
     .type = Integer,
     .member = member<&PipelineSpec::poison_after>,
     .standard = "3",
     .minimum = "0",
     .maximum = "1000",
     .documentation = "A message at which the process dies, or hangs until a watchdog ends it, so many times in a row is set "
                      "aside as a dead "
                      "letter with the reason `poison`. 0: never.",
     .example = "poison_after = 3"},
    {.key = "poison_per_hour",
     .type = Integer,
     .member = member<&PipelineSpec::poison_per_hour>,
     .standard = "10",
     .minimum = "0",
     .maximum = "1000000",
     .documentation =
         "At most so many are set aside within an hour; with one more the pipeline fails, for that is no message's fault.",
     .example = "poison_per_hour = 10"},
    {.key = "source",
     .type = TableArray,
     .member = member<&PipelineSpec::source>,
     .required = true,
     .section = &source_section,
     .one_table_will_do = true,
     .documentation = "Where the records come from: one `[pipeline.source]`, or several `[[pipeline.source]]`."},
    {.key = "step",
     .type = TableArray,
     .member = member<&PipelineSpec::step>,
     .section = &step_section,
     .documentation = "What is done with them, in this order."},
    {.key = "sink",
     .type = Table,
     .member = member<&PipelineSpec::sink>,
     .required = true,
     .section = &sink_section,
     .documentation = "Where the results go."},
};

constexpr Section pipeline_section = {
    .header = "[[pipeline]]",
    .documentation = "A stream from its source through its steps to its sink, with checkpoints of its own.",
    .options = pipeline_options,
    .at = member<&PipelineSpec::at>,
    .check = check_pipeline,
};

constexpr Option root_options[] = {
    {.key = "agent",
     .type = Table,
     .member = member<&Specification::agent>,
     .section = &agent_section,
     .documentation = "The process as a whole."},
    {.key = "mqtt",
     .type = NamedTables,
     .member = member<&Specification::mqtt>,
     .section = &mqtt_section,
     .documentation = "The brokers."},
    {.key = "pipeline",
     .type = TableArray,
     .member = member<&Specification::pipeline>,
     .required = true,
     .section = &pipeline_section,
     .documentation = "The streams."},
};

constexpr Section root_section = {
    .header = "the configuration",
    .documentation = "Configuration of weir.",
    .options = root_options,
    .check = check_specification,
};

/// Whether each row's member can take what the row's type yields.
constexpr bool fits(OptionType type, MemberType into) {
  switch (type) {
    case Boolean:
      return into == MemberType::Bool;
    case Number:
      return into == MemberType::Real;
    case Path:
      return false;  // of registered steps only
    case Integer:
    case Size:
      return into == MemberType::Unsigned;
    case Duration:
    case SignedDuration:
    case DurationOrCount:
      return into == MemberType::Signed;
    case Name:
    case Choice:
      return into == MemberType::String;
    case Text:
      return into == MemberType::String || into == MemberType::Located;
    case Expression:
      return into == MemberType::Located;
    case TextList:
      return into == MemberType::LocatedList;
    case Fields:
      return into == MemberType::Source;
    case ExpressionTable:
    case AggregateTable:
      return into == MemberType::Expressions;
    case Table:
      return into == MemberType::Struct;
    case TableArray:
    case NamedTables:
      return into == MemberType::Structs;
  }
  return false;
}

constexpr bool fits(std::span<const Option> options) {
  for (const Option& option : options) {
    if (!fits(option.type, option.member.type)) return false;
    if (option.place.type != MemberType::None && option.place.type != MemberType::Place) return false;
    // The rows of a step grow with the registered ones; those that stand here are looked at below.
    if (option.section != nullptr && option.section != &step_section && !fits(option.section->options)) return false;
  }
  return true;
}

static_assert(fits(root_options) && fits(step_options), "a row of the option table does not fit its member");

}  // namespace

const Section& config_section() {
  step_section.options = with_registered_steps(step_options);
  return root_section;
}

}  // namespace weir
